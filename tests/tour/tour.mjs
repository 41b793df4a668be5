// Leads @deepgram/sdk through an emulator: node tour.mjs BASE_URL FOLDER_WITH_NODE_MODULES

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [base, folder] = process.argv.slice(2);
const { DeepgramClient } = createRequire(`${resolve(folder)}/`)("@deepgram/sdk");
const sockets = base.replace("http", "ws");
const client = new DeepgramClient({
  apiKey: "a-key",
  environment: { base, production: sockets, agent: sockets, agentRest: base },
});

const WORDS = "What is the weather in Oslo?";
const RAW = { encoding: "linear16", sample_rate: 8000 };
const DEADLINE_MS = 20_000;
// A tenth of a second of silence, in which the scripted recogniser hears its words.
const chunk = () => new Uint8Array(1600);

function wav(seconds) {
  const samples = seconds * 8000;
  const file = Buffer.alloc(44 + samples * 2);
  file.write("RIFF", 0);
  file.writeUInt32LE(36 + samples * 2, 4);
  file.write("WAVEfmt ", 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(8000, 24);
  file.writeUInt32LE(16000, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write("data", 36);
  file.writeUInt32LE(samples * 2, 40);
  return file;
}

// Talks on a socket until it closes, or until `react` returns true; returns all messages.
async function converse(socket, begin, react = () => false) {
  const seen = [];
  const done = new Promise((finish, fail) => {
    socket.on("message", async (message) => {
      seen.push(message);
      if (await react(message)) finish();
    });
    socket.on("close", () => finish());
    socket.on("error", fail);
  });
  socket.connect();
  await socket.waitForOpen();
  await begin(socket);
  await done;
  socket.close();
  return seen;
}

const sizeOf = (part) => part.size ?? part.byteLength ?? 0;
const kindOf = (message) => (typeof message?.type === "string" && message.type ? message.type : "audio");
const kinds = (messages) => [...new Set(messages.map(kindOf))];
const audioBytes = (messages) =>
  messages.filter((m) => kindOf(m) === "audio").reduce((sum, part) => sum + sizeOf(part), 0);

async function transcribe() {
  const answer = await client.listen.v1.media.transcribeFile(wav(2.5), {
    model: "nova-3",
    smart_format: true,
  });
  assert.equal(answer.results.channels[0].alternatives[0].transcript, WORDS);
  return answer.results.channels[0].alternatives[0].transcript;
}

async function speak(version, options) {
  const answer = await client.speak[version].audio.generate({
    text: "Hello, world.",
    encoding: "linear16",
    ...options,
  });
  const audio = Buffer.from(await answer.arrayBuffer());
  assert.equal(audio.subarray(0, 4).toString(), "RIFF");
  return `${audio.length} bytes`;
}

async function listenLive() {
  const socket = await client.listen.v1.createConnection({
    model: "nova-3",
    punctuate: "true",
    interim_results: "true",
    vad_events: "true",
    utterance_end_ms: 1000,
    ...RAW,
  });
  const seen = await converse(socket, (live) => {
    for (let i = 0; i < 40; i += 1) live.sendMedia(chunk());
    live.sendKeepAlive({ type: "KeepAlive" });
    live.sendFinalize({ type: "Finalize" });
    live.sendCloseStream({ type: "CloseStream" });
  });
  const finals = seen.filter((m) => m.type === "Results" && m.is_final);
  assert.equal(finals[0].channel.alternatives[0].transcript, WORDS);
  assert.deepEqual(kinds(seen).sort(), ["Metadata", "Results", "SpeechStarted", "UtteranceEnd"]);
  return kinds(seen).join(", ");
}

async function listenFlux() {
  const socket = await client.listen.v2.createConnection({
    model: "flux-general-en",
    eager_eot_threshold: 0.4,
    ...RAW,
  });
  const seen = await converse(socket, (flux) => {
    flux.sendConfigure({ type: "Configure", keyterms: ["Oslo"] });
    for (let i = 0; i < 20; i += 1) flux.sendMedia(chunk());
    flux.sendForceEndTurn({ type: "ForceEndTurn" });
    flux.sendCloseStream({ type: "CloseStream" });
  });
  const end = seen.find((m) => m.event === "EndOfTurn");
  assert.equal(end.transcript, WORDS);
  assert.equal(end.trigger, "manual");
  return kinds(seen).join(", ");
}

async function speakLive() {
  const socket = await client.speak.v1.createConnection({ model: "aura-2-thalia-en", ...RAW });
  const seen = await converse(socket, (speech) => {
    speech.sendText({ type: "Speak", text: "Hello, world." });
    speech.sendFlush({ type: "Flush" });
    speech.sendClose({ type: "Close" });
  });
  assert.equal(audioBytes(seen), 13 * 800);
  assert.deepEqual(kinds(seen), ["Metadata", "audio", "Flushed"]);
  return `${kinds(seen).join(", ")}; ${audioBytes(seen)} bytes of audio`;
}

async function speakFlux() {
  const socket = await client.speak.v2.createConnection({ model: "flux-kit-en", ...RAW });
  const seen = await converse(socket, (speech) => {
    speech.sendSpeak({ type: "Speak", text: "Hello, world." });
    speech.sendFlush({ type: "Flush" });
    speech.sendClose({ type: "Close" });
  });
  assert.equal(audioBytes(seen), 13 * 800);
  assert.equal(seen.at(-1).total_audio_duration_ms, 650);
  return `${kinds(seen).join(", ")}; ${audioBytes(seen)} bytes of audio`;
}

async function talk() {
  const socket = await client.agent.v1.createConnection();
  const seen = await converse(
    socket,
    () => {},
    async (message) => {
      switch (message.type) {
        case "Welcome":
          socket.sendSettings({
            type: "Settings",
            audio: {
              input: RAW,
              output: { ...RAW, container: "none" },
            },
            agent: {
              listen: { provider: { type: "deepgram", version: "v1", model: "nova-3" } },
              think: {
                provider: { type: "open_ai", model: "gpt-4o-mini" },
                prompt: "Be brief.",
                functions: [
                  {
                    name: "get_weather",
                    description: "Return the weather of a city.",
                    parameters: {
                      type: "object",
                      properties: { city: { type: "string" } },
                      required: ["city"],
                    },
                  },
                ],
              },
              speak: { provider: { type: "deepgram", model: "aura-2-thalia-en" } },
            },
          });
          return false;
        case "SettingsApplied":
          for (let i = 0; i < 30; i += 1) socket.sendMedia(chunk());
          return false;
        case "FunctionCallRequest": {
          const [call] = message.functions;
          assert.equal(call.arguments, '{"city":"Oslo"}');
          socket.sendFunctionCallResponse({
            type: "FunctionCallResponse",
            id: call.id,
            name: call.name,
            content: "It is sunny.",
          });
          return false;
        }
        default:
          return message.type === "AgentAudioDone" || message.type === "Error";
      }
    },
  );
  const said = seen.filter((m) => m.type === "ConversationText").map((m) => m.content);
  assert.deepEqual(said, [WORDS, "It is sunny."]);
  assert.equal(audioBytes(seen), 12 * 800);
  return `${kinds(seen).join(", ")}; said ${said.join(" / ")}`;
}

async function refused() {
  await assert.rejects(
    client.speak.v1.audio.generate({ text: "Hello", model: "aura-2-nobody-en" }),
    (error) => error.statusCode === 400,
  );
  return "400";
}

const STOPS = {
  "POST /v1/listen": transcribe,
  "POST /v1/speak": () => speak("v1", { model: "aura-2-thalia-en" }),
  "POST /v2/speak": () => speak("v2", { model: "flux-kit-en" }),
  "POST /v1/speak, an unknown voice": refused,
  "/v1/listen": listenLive,
  "/v2/listen": listenFlux,
  "/v1/speak": speakLive,
  "/v2/speak": speakFlux,
  "/v1/agent/converse": talk,
};

let failed = 0;
for (const [name, stop] of Object.entries(STOPS)) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error("did not end in time")), DEADLINE_MS);
  });
  try {
    console.log(`ok    ${name}: ${await Promise.race([stop(), late])}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}: ${error.stack}`);
  } finally {
    clearTimeout(timer);
  }
}
process.exit(failed ? 1 : 0);

"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const root = document.documentElement;
  const captions = byId("captions");
  const settled = byId("settled");
  const interim = byId("interim");

  // What is said beside the dot.
  const STATES = {
    connecting: "Connecting…",
    ready: "Ready",
    asking: "Waiting for the microphone…",
    opening: "Connecting to the service…",
    listening: "Listening",
    broken: "Connection lost, reconnecting…",
    ending: "Waiting for the last words…",
    gone: "Not connected",
  };
  const BUSY = new Set(["opening", "listening", "broken"]);
  let state = "connecting";

  const enter = (next) => {
    state = next;
    document.body.dataset.state = next;
    document.body.classList.toggle("on", BUSY.has(next));
    byId("status-text").textContent = STATES[next];
    const label = BUSY.has(next) ? "Stop" : "Start";
    byId("record").setAttribute("aria-label", label);
    byId("record").title = `${label} (Space)`;
    byId("record").disabled = !BUSY.has(next) && next !== "ready";
    byId("language").disabled = byId("speakers").disabled = next !== "ready";
    showButtons();
  };

  const showButtons = () => {
    const hasText = settled.childElementCount > 0;
    byId("copy").disabled = !hasText;
    byId("download").disabled = !hasText || state === "gone";
    byId("clear").disabled = !hasText || state !== "ready";
    if (byId("download").disabled) openMenu(false);
  };

  const tell = (text, details = "") => {
    byId("trouble-text").textContent = text;
    byId("trouble-details").textContent = details;
    byId("trouble").hidden = !text;
  };
  byId("dismiss").addEventListener("click", () => tell(""));

  // The program that serves this page, at the same secret address.
  const address = new URL("live", location.href);
  address.protocol = "ws:";
  const socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  const send = (message) => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(message));

  socket.addEventListener("close", () => {
    microphone.close();
    // What was not settled yet is better than nothing.
    settle(unsettled);
    showInterim([]);
    enter("gone");
    tell("The program that serves this page has ended.", "Start it again and open the address that it prints. The text stays here until then.");
  });
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(data);
    answers[message.type]?.(message);
  });

  const QUIET = "The service hears and says nothing.";
  const answers = {
    Hello({ language, languages, model, speakers, is_local: isLocal }) {
      for (const { tag, name } of languages) byId("language").add(new Option(name, tag));
      byId("language").value = language;
      byId("speakers").checked = speakers;
      // The local service does not tell speakers apart.
      byId("speakers").parentElement.hidden = isLocal;
      byId("status").title = isLocal ? "Local service" : model;
      enter("ready");
    },
    Listening() {
      if (BUSY.has(state)) enter("listening");
    },
    Heard({ pieces, is_final: isFinal }) {
      byId("invitation").hidden = true;
      if (byId("trouble-text").textContent === QUIET) tell("");
      if (isFinal) settle(pieces);
      showInterim(isFinal ? [] : pieces);
      showLatest();
    },
    Pause() {
      settled.lastElementChild?.classList.remove("open");
    },
    Broken() {
      if (BUSY.has(state)) enter("broken");
    },
    Restored({ dropped_s: droppedS }) {
      if (BUSY.has(state)) enter("listening");
      if (droppedS >= 0.1) tell(`${droppedS.toFixed(1)} seconds were lost with the connection.`);
    },
    Quiet() {
      tell(QUIET, "It goes on as soon as the service does.");
    },
    Failed({ text, details }) {
      tell(text, details);
    },
    Ended() {
      microphone.close();
      showInterim([]);
      settled.lastElementChild?.classList.remove("open");
      enter("ready");
    },
    Document({ name, text }) {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    },
  };

  const LONG_PARAGRAPH = 450;

  // Captions. Everything that was heard goes through textContent.
  const paragraphOf = (speaker) => {
    const last = settled.lastElementChild;
    const name = speaker === null ? "" : String(speaker);
    if (last?.classList.contains("open") && last.dataset.speaker === name) return last;
    last?.classList.remove("open");
    const paragraph = document.createElement("p");
    paragraph.className = "open";
    paragraph.dir = "auto";
    paragraph.dataset.speaker = name;
    if (speaker !== null) {
      paragraph.classList.add(`s${speaker % 6}`);
      const label = document.createElement("b");
      label.textContent = `Speaker ${speaker}`;
      paragraph.append(label);
    }
    const text = document.createElement("span");
    text.className = "text";
    paragraph.append(text);
    settled.append(paragraph);
    return paragraph;
  };

  const settle = (pieces) => {
    for (const { speaker, text } of pieces) {
      const paragraph = paragraphOf(speaker);
      const span = paragraph.querySelector(".text");
      span.textContent += `${text} `;
      // Who never pauses gets paragraphs too.
      if (span.textContent.length > LONG_PARAGRAPH && /[.?!…。？！]\s*$/.test(span.textContent)) {
        paragraph.classList.remove("open");
      }
    }
    showButtons();
  };

  let unsettled = [];
  const showInterim = (pieces) => {
    unsettled = pieces;
    interim.textContent = pieces.map(({ text }) => text).join(" ");
    const last = settled.lastElementChild;
    const goesOn = last?.classList.contains("open") && last.dataset.speaker === String(pieces[0]?.speaker ?? "");
    (goesOn ? last : byId("upcoming")).append(interim);
  };

  const isAtEnd = () => captions.scrollHeight - captions.scrollTop - captions.clientHeight < 80;
  let isFollowing = true;
  const showLatest = () => {
    if (isFollowing) captions.scrollTop = captions.scrollHeight;
    byId("latest").hidden = isFollowing;
  };
  captions.addEventListener("scroll", () => {
    isFollowing = isAtEnd();
    byId("latest").hidden = isFollowing;
  });
  // A message below, or a turned phone, takes room away.
  new ResizeObserver(showLatest).observe(captions);
  byId("latest").addEventListener("click", () => {
    isFollowing = true;
    showLatest();
  });

  // The microphone.
  const REFUSALS = {
    NotAllowedError: ["This page may not use the microphone.", "Allow it beside the address of the page, and press the microphone again."],
    NotFoundError: ["No microphone was found.", "Connect one, and press the microphone again."],
    NotReadableError: ["The microphone is in use by another program, or does not work.", ""],
  };
  const MOST_WAITING_BYTES = 4 << 20;

  const microphone = {
    context: null,
    stream: null,
    lock: null,

    async open() {
      this.stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: true },
      });
      this.stream.getAudioTracks()[0].addEventListener("ended", () => {
        tell("The microphone was disconnected.");
        stop();
      });
      let source;
      try {
        this.context = new AudioContext({ sampleRate: 16000 });
        source = this.context.createMediaStreamSource(this.stream);
      } catch {
        // Some browsers take a microphone only at its own rate.
        this.context?.close();
        this.context = new AudioContext();
        source = this.context.createMediaStreamSource(this.stream);
      }
      await this.context.audioWorklet.addModule("worklet.js");
      const pcm = new AudioWorkletNode(this.context, "pcm", { numberOfOutputs: 0 });
      pcm.port.onmessage = ({ data: { buffer, loudness } }) => {
        byId("record").style.setProperty("--loudness", loudness.toFixed(2));
        if (!BUSY.has(state) || socket.readyState !== WebSocket.OPEN) return;
        if (socket.bufferedAmount < MOST_WAITING_BYTES) socket.send(buffer);
        else tell("The service cannot keep up; some seconds were left out.");
      };
      source.connect(pcm);
      // The screen stays on, where the browser lets it.
      navigator.wakeLock?.request("screen").then(
        (lock) => {
          if (this.stream) this.lock = lock;
          else lock.release();
        },
        () => undefined,
      );
      return this.context.sampleRate;
    },

    close() {
      for (const track of this.stream?.getTracks() ?? []) track.stop();
      this.context?.close();
      this.lock?.release();
      this.context = this.stream = this.lock = null;
    },
  };

  const start = async () => {
    tell("");
    enter("asking");
    try {
      const sampleRate = await microphone.open();
      if (state !== "asking") {
        microphone.close(); // the program has ended meanwhile
        return;
      }
      const language = byId("language").value;
      settled.lang = language === "multi" ? "" : language;
      send({
        type: "Start",
        sample_rate: Math.round(sampleRate),
        language,
        speakers: byId("speakers").checked,
      });
      enter("opening");
      await microphone.context.resume();
    } catch (error) {
      microphone.close();
      if (state === "gone") return;
      enter("ready");
      tell(...(REFUSALS[error.name] ?? ["The microphone cannot be used.", String(error.message ?? error)]));
    }
  };

  const stop = () => {
    if (!BUSY.has(state)) return;
    microphone.close();
    enter("ending");
    send({ type: "Stop" });
  };

  byId("record").addEventListener("click", () => (BUSY.has(state) ? stop() : start()));

  // What is done with the text.
  byId("clear").addEventListener("click", () => {
    send({ type: "Clear" });
    showInterim([]);
    settled.replaceChildren();
    byId("invitation").hidden = false;
    showButtons();
  });
  byId("copy").addEventListener("click", async () => {
    const paragraphs = [...settled.children].map((paragraph) =>
      [...paragraph.querySelectorAll("b, .text")].map((part) => part.textContent.trim()).join(": "));
    try {
      await navigator.clipboard.writeText(`${paragraphs.join("\n\n")}\n`);
    } catch {
      tell("The browser did not let the text be copied.");
      return;
    }
    const text = byId("status-text");
    text.textContent = "Copied";
    setTimeout(() => { text.textContent = STATES[state]; }, 1500);
  });
  const openMenu = (yes) => {
    byId("formats").hidden = !yes;
    byId("download").setAttribute("aria-expanded", String(yes));
  };
  byId("download").addEventListener("click", () => openMenu(byId("formats").hidden));
  byId("formats").addEventListener("click", (event) => {
    const { format } = event.target.closest("button").dataset;
    send({ type: "Export", format });
    openMenu(false);
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".menu")) openMenu(false);
  });

  // The look.
  byId("scheme").addEventListener("click", () => {
    const isDark = (root.dataset.scheme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
    root.dataset.scheme = isDark ? "light" : "dark";
  });
  const enlarge = (yes) => {
    root.classList.toggle("large", yes);
    byId("large").setAttribute("aria-pressed", String(yes));
    wake();
    if (yes) root.requestFullscreen?.().catch(() => undefined); // it may be forbidden, and is not needed
    else if (document.fullscreenElement) document.exitFullscreen();
    isFollowing = true;
    showLatest();
  };
  byId("large").addEventListener("click", () => enlarge(!root.classList.contains("large")));
  document.addEventListener("fullscreenchange", () => {
    if (!document.fullscreenElement && root.classList.contains("large")) enlarge(false);
  });
  // The controls show themselves in big text while somebody moves.
  let sleeping = 0;
  const wake = () => {
    root.classList.add("active");
    clearTimeout(sleeping);
    sleeping = setTimeout(() => root.classList.remove("active"), 2500);
  };
  document.addEventListener("pointermove", wake);
  document.addEventListener("pointerdown", wake);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select, input")) return;
    if (event.key === " " && !event.target.closest("button") && !byId("record").disabled) {
      event.preventDefault();
      byId("record").click();
    } else if (event.key === "b" || event.key === "B") {
      enlarge(!root.classList.contains("large"));
    } else if (event.key === "Escape") {
      openMenu(false);
      if (root.classList.contains("large")) enlarge(false);
    }
  });
})();

"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const main = byId("transcript");
  const audio = byId("audio");
  const seek = byId("seek");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  // Words in the order of the page. Their times come as start after the start of the word before, and
  // length, in milliseconds.
  const words = [...main.querySelectorAll(".turn p span")];
  const indexes = new Map(words.map((word, index) => [word, index]));
  const starts = new Float64Array(words.length);
  const ends = new Float64Array(words.length);
  const times = JSON.parse(byId("times").textContent);
  for (let index = 0, start = 0; index < words.length; index += 1) {
    start += times[2 * index];
    starts[index] = start / 1000;
    ends[index] = (start + times[2 * index + 1]) / 1000;
  }

  // Channels speak at the same time: each has a word of its own that is being said.
  const channels = new Map();
  for (const word of words) {
    const { channel } = word.closest(".turn").dataset;
    if (!channels.has(channel)) channels.set(channel, { order: [], now: -1 });
    channels.get(channel).order.push(indexes.get(word));
  }
  for (const { order } of channels.values()) order.sort((one, other) => starts[one] - starts[other]);

  const lastStarted = (order, time) => {
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[order[middle]] <= time) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  };

  // The position, with or without sound.
  const LINGER_S = 0.4;
  let position = 0;
  let isFollowing = true;

  const clock = (seconds) => {
    const whole = Math.floor(seconds);
    const minutes = Math.floor(whole / 60);
    const tail = String(whole % 60).padStart(2, "0");
    return whole < 3600
      ? `${minutes}:${tail}`
      : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${tail}`;
  };

  const show = (time) => {
    position = time;
    seek.value = String(time);
    byId("head").style.left = `${(100 * time) / (Number(seek.max) || 1)}%`;
    const shown = clock(time);
    if (byId("position").textContent !== shown) {
      byId("position").textContent = shown;
      seek.setAttribute("aria-valuetext", shown);
    }
    let moved = null;
    for (const channel of channels.values()) {
      const last = lastStarted(channel.order, time);
      const word = last < 0 ? -1 : channel.order[last];
      const now = word >= 0 && time < ends[word] + LINGER_S ? word : -1;
      if (now === channel.now) continue;
      words[channel.now]?.classList.remove("now");
      words[now]?.classList.add("now");
      channel.now = now;
      if (now >= 0) moved = words[now];
    }
    if (moved && isFollowing) reveal(moved);
  };

  const reveal = (element, always = false) => {
    const { top, bottom } = element.getBoundingClientRect();
    if (!always && top > innerHeight * 0.14 && bottom < innerHeight * 0.72) return;
    element.scrollIntoView({ block: "center", behavior: calm.matches ? "auto" : "smooth" });
  };

  const follow = (yes) => {
    isFollowing = yes;
    byId("follow").hidden = yes || audio.paused;
  };

  const goTo = (time) => {
    const bounded = Math.min(Math.max(time, 0), Number(seek.max));
    if (hasSound()) audio.currentTime = bounded;
    follow(true);
    show(bounded);
  };

  const goToWord = (index) => {
    // Half a millisecond in, because a player may round down.
    if (index >= 0 && index < words.length) goTo(starts[index] + 0.0005);
  };

  const currentWord = () => {
    let best = -1;
    for (const { order } of channels.values()) {
      const last = lastStarted(order, position);
      if (last >= 0 && (best < 0 || starts[order[last]] > starts[best])) best = order[last];
    }
    return best;
  };

  const stepTurn = (by) => {
    const turns = [...main.querySelectorAll(".turn")];
    const word = words[currentWord()];
    const at = word ? turns.indexOf(word.closest(".turn")) : -1;
    const turn = turns[Math.min(Math.max(at + by, 0), turns.length - 1)];
    if (turn) goToWord(indexes.get(turn.querySelector("p span")));
  };

  // Sound.
  const hasSound = () => audio.hasAttribute("src") && !audio.error;

  const play = () => {
    if (!hasSound()) return;
    follow(true);
    audio.play().catch(() => undefined); // a refusal is told by the event of the error
  };

  const playOrPause = () => (audio.paused ? play() : audio.pause());

  const showSound = () => {
    const is = hasSound();
    for (const part of document.querySelectorAll(".with-sound")) part.hidden = !is;
    byId("attach").hidden = is;
    byId("problem").hidden = !audio.error;
  };

  const onFrame = () => {
    if (audio.paused) return;
    show(audio.currentTime);
    requestAnimationFrame(onFrame);
  };

  audio.addEventListener("play", () => {
    document.documentElement.classList.add("playing");
    byId("play").setAttribute("aria-label", "Pause");
    onFrame();
  });
  audio.addEventListener("pause", () => {
    document.documentElement.classList.remove("playing");
    byId("play").setAttribute("aria-label", "Play");
    follow(isFollowing);
  });
  audio.addEventListener("seeked", () => show(audio.currentTime));
  audio.addEventListener("timeupdate", () => {
    // Frames stop in a hidden tab, and the clock should not.
    if (document.hidden) show(audio.currentTime);
  });
  audio.addEventListener("loadedmetadata", () => {
    if (Number.isFinite(audio.duration) && audio.duration > Number(seek.max)) {
      // The timeline is drawn for the transcript; a little silence after it changes nothing.
      byId("length").textContent = clock(audio.duration);
    }
    if (position > 0) audio.currentTime = position;
    showSound();
  });
  audio.addEventListener("error", showSound);
  byId("file").addEventListener("change", (event) => {
    const [file] = event.target.files;
    if (!file) return;
    audio.src = URL.createObjectURL(file);
    audio.load();
  });
  byId("play").addEventListener("click", playOrPause);
  byId("speed").addEventListener("change", (event) => {
    audio.playbackRate = Number(event.target.value);
  });
  seek.addEventListener("input", () => goTo(Number(seek.value)));

  main.addEventListener("click", (event) => {
    const index = indexes.get(event.target.closest("p span"));
    if (index === undefined || !getSelection().isCollapsed) return;
    goToWord(index);
    play();
  });
  byId("follow").addEventListener("click", () => {
    follow(true);
    const word = words[currentWord()];
    if (word) reveal(word, true);
  });
  for (const kind of ["wheel", "touchmove"]) {
    document.addEventListener(kind, () => audio.paused || follow(false), { passive: true });
  }

  // An address such as page.html#t=83.5 opens the page at this second.
  const goToAddress = () => {
    const found = /^#t=(\d+(?:\.\d+)?)$/.exec(location.hash);
    if (!found) return;
    const time = Number(found[1]);
    goTo(time + 0.0005);
    const word = words[currentWord()];
    if (word) reveal(word, true);
  };
  addEventListener("hashchange", goToAddress);
  main.addEventListener("click", (event) => {
    // The same address again is no change of it.
    if (event.target.closest("header a")?.hash === location.hash) goToAddress();
  });

  // Search: words are compared without case, accents and punctuation, and a match may span words.
  const plain = (text) =>
    text.normalize("NFD").toLowerCase().replace(/[^\p{L}\p{N}\s]/gu, "").replace(/\s+/g, " ").trim();
  let searched = null;
  const searchable = () => {
    if (searched) return searched;
    const offsets = new Int32Array(words.length);
    const parts = [];
    let length = 0;
    words.forEach((word, index) => {
      const text = `${plain(word.textContent)} `;
      offsets[index] = length;
      length += text.length;
      parts.push(text);
    });
    searched = { text: parts.join(""), offsets };
    return searched;
  };

  const search = byId("search");
  let matches = [];
  let match = -1;

  const wordAt = (offsets, place) => {
    let low = 0;
    let high = offsets.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (offsets[middle] <= place) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  };

  const find = () => {
    for (const word of main.querySelectorAll(".hit")) word.classList.remove("hit", "hit-now");
    matches = [];
    match = -1;
    const wanted = plain(search.value);
    if (wanted) {
      const { text, offsets } = searchable();
      for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
        const [first, last] = [wordAt(offsets, at), wordAt(offsets, at + wanted.length - 1)];
        if (matches.at(-1)?.[1] !== last) matches.push([first, last]);
      }
      for (const [first, last] of matches) {
        for (let index = first; index <= last; index += 1) words[index].classList.add("hit");
      }
    }
    showHits();
    if (matches.length) goToMatch(0);
    else showCount();
  };

  const showHits = () => {
    const MOST = 500; // more cannot be told apart on the timeline
    const every = Math.ceil(matches.length / MOST) || 1;
    const marks = matches.filter((_, number) => number % every === 0).map(([first]) => {
      const mark = document.createElement("i");
      mark.style.left = `${(100 * starts[first]) / (Number(seek.max) || 1)}%`;
      return mark;
    });
    byId("hits").replaceChildren(...marks);
  };

  const showCount = () => {
    byId("found").textContent = !plain(search.value) ? "" : matches.length ? `${match + 1} of ${matches.length}` : "Nothing";
    byId("before").hidden = byId("after").hidden = matches.length < 2;
  };

  const mark = (number, yes) => {
    const [first, last] = matches[number] ?? [0, -1];
    for (let index = first; index <= last; index += 1) words[index].classList.toggle("hit-now", yes);
  };

  const goToMatch = (number) => {
    mark(match, false);
    match = (number + matches.length) % matches.length;
    mark(match, true);
    showCount();
    follow(false);
    reveal(words[matches[match][0]]);
  };

  let waiting = 0;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(find, 120);
  });
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      if (matches.length) goToMatch(match + (event.shiftKey ? -1 : 1));
    } else if (event.key === "Escape") {
      search.value = "";
      find();
      search.blur();
    }
  });
  byId("before").addEventListener("click", () => goToMatch(match - 1));
  byId("after").addEventListener("click", () => goToMatch(match + 1));

  // The look.
  byId("marks").addEventListener("click", (event) => {
    const is = document.documentElement.classList.toggle("marked");
    event.currentTarget.setAttribute("aria-pressed", String(is));
  });
  byId("scheme").addEventListener("click", () => {
    const root = document.documentElement;
    const isDark = (root.dataset.scheme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
    root.dataset.scheme = isDark ? "light" : "dark";
  });
  const keys = byId("keys");
  byId("help").addEventListener("click", () => keys.showModal());

  const actions = {
    " ": playOrPause,
    ArrowLeft: (event) => (event.shiftKey ? goToWord(currentWord() - 1) : goTo(position - 5)),
    ArrowRight: (event) => (event.shiftKey ? goToWord(currentWord() + 1) : goTo(position + 5)),
    "[": () => stepTurn(-1),
    "]": () => stepTurn(1),
    "/": () => search.select(),
    "?": () => keys.showModal(),
  };
  const SCROLLING = new Set(["ArrowDown", "ArrowUp", "End", "Home", "PageDown", "PageUp"]);
  document.addEventListener("keydown", (event) => {
    if (SCROLLING.has(event.key) && !audio.paused && event.target !== seek) follow(false);
    const action = actions[event.key];
    const isTyping = event.target.closest("input, select, textarea, dialog, audio");
    const isPressing = event.key === " " && event.target.closest("button, a");
    if (!action || isTyping || isPressing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action(event);
  });

  document.documentElement.classList.add("live", "marked");
  showSound();
  goToAddress();
})();

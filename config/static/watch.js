// The page of a link works without this file; with it, one tap both opens the video and plays it.

function complain(shown) {
  for (const line of document.querySelectorAll("[data-play-problem]")) line.hidden = !shown;
}

function heed(video) {
  // Safari and its kin leave captions off, even the default ones; without sound they are the words.
  for (const track of video.textTracks) track.mode = "showing";
  video.querySelector("source").addEventListener("error", () => complain(true));
  video.addEventListener("error", () => complain(true));
  video.addEventListener("playing", () => complain(false));
}

async function open(form) {
  // The same POST as without scripts: it counts one play. It asks for the page of the video at
  // once, where a browser without scripts is led to it.
  // The button stands for the gesture: without it nothing is counted.
  const body = new URLSearchParams({ gesture: form.querySelector("button").value, answer: "page" });
  const answer = await fetch(form.action, { method: "POST", body, redirect: "follow", credentials: "same-origin" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = document.adoptNode(page.querySelector("main"));
  const video = main.querySelector("video");
  if (video) heed(video);
  document.querySelector("main").replaceWith(main);
  // Asked for before anything else is done: the first bytes are under way while the page is drawn.
  // A browser may still refuse to start by itself; the player's own button is there.
  const started = video?.play().catch(() => {});
  document.title = page.title;
  window.history.replaceState(null, "", answer.headers.get("Content-Location") ?? answer.url);
  video?.focus();
  await started;
}

for (const form of document.querySelectorAll("form[data-play]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const poster = form.querySelector("button");
    poster.disabled = true;
    complain(false);
    await open(form).catch(() => {
      poster.disabled = false;
      complain(true);
    });
  });
}
document.querySelectorAll("video").forEach(heed);

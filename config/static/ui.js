// What every staff page gains where scripts run; all of it works without.

const announcer = document.getElementById("announcer");

function announce(root) {
  const words = root.querySelector?.("[data-announce]")?.dataset.announce;
  if (words && announcer && announcer.textContent !== words) announcer.textContent = words;
}

// A page that nobody looks at stops asking for news.
document.addEventListener("htmx:beforeRequest", (event) => {
  const polls = event.detail.elt.getAttribute("hx-trigger")?.includes("every");
  if (polls && document.hidden) event.preventDefault();
});
document.addEventListener("htmx:afterSettle", (event) => announce(event.detail.elt.parentElement ?? document));

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const copy = event.target.closest("[data-copy]");
  if (copy) copyFrom(copy);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const box of document.querySelectorAll("details.menu[open], details.confirm[open]")) {
    box.open = false;
    box.querySelector("summary").focus();
  }
});

async function copyFrom(button) {
  const source = document.getElementById(button.dataset.copy);
  await navigator.clipboard.writeText(source.value ?? source.textContent);
  if (announcer) announcer.textContent = button.dataset.copied;
  button.textContent = button.dataset.copied;
}

for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = !navigator.clipboard;
document.querySelector(".error-summary")?.focus();

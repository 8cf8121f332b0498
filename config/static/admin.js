// Names what the stock admin leaves unnamed for a screen reader: the halves of a date, and its help marks.

for (const input of document.querySelectorAll("input.vDateField, input.vTimeField")) {
  const row = input.closest(".form-row, td")?.querySelector("label, .legend")?.textContent.trim() ?? "";
  const half = input.classList.contains("vDateField") ? "date" : "time";
  if (!input.labels.length) input.setAttribute("aria-label", `${row} ${half}`.trim());
}
// The help marks are made by the stock scripts once everything is loaded.
addEventListener("load", () => {
  for (const mark of document.querySelectorAll(".help-tooltip[aria-label]")) mark.setAttribute("role", "img");
});

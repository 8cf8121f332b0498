// The script editor: a slot is put in where one is writing. Without this file slots are typed.

const text = document.getElementById("id_text");

for (const button of document.querySelectorAll("[data-insert]")) {
  button.hidden = !text;
  button.addEventListener("click", () => {
    text.setRangeText(button.dataset.insert, text.selectionStart, text.selectionEnd, "end");
    text.focus();
    text.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

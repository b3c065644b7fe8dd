// The board refreshes itself and says when it could not. Without this the page reloads as a whole.
const board = document.getElementById("board");
const status = document.getElementById("board-status");
const button = document.getElementById("board-pause");
const every = Number(board.dataset.seconds) * 1000;
let refreshing = true;

async function refresh() {
  // Whoever is at a link of the board keeps their place.
  if (!refreshing || document.hidden || board.contains(document.activeElement)) return;
  try {
    const answer = await fetch(window.location.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = answer.ok && page.getElementById("board");
    if (!fresh) throw new Error("no board");
    board.innerHTML = fresh.innerHTML;
    status.textContent = "";
  } catch {
    status.textContent = "This board could not be refreshed. Reload the page, or sign in again.";
  }
}

button.hidden = false;
button.addEventListener("click", () => {
  refreshing = !refreshing;
  button.textContent = refreshing ? "Stop refreshing" : "Refresh by itself";
});
setInterval(refresh, every);

// Every page works without this. With it the error summary takes focus and a button sends once.
import { initAll } from "./nhsuk/nhsuk-frontend.min.js";

initAll();

// Work that goes on elsewhere: look again every few seconds, and show the whole page once it is over.
for (const part of document.querySelectorAll("[data-again]")) {
  const look = async () => {
    try {
      const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
      const now = page.querySelector("[data-again]");
      if (!now) return location.reload();
      if (now.innerHTML !== part.innerHTML) part.innerHTML = now.innerHTML;
    } catch { /* the next look may do better; the link stands on the page */ }
    setTimeout(look, part.dataset.again * 1000);
  };
  setTimeout(look, part.dataset.again * 1000);
}

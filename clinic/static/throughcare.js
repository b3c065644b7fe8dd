// Every page works without this. With it: the error summary takes focus, choices reveal their
// follow-up questions, a button sends once.
import { initAll } from "./nhsuk/nhsuk-frontend.min.js";

initAll();

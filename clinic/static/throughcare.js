// Every page works without this. With it the error summary takes focus and a button sends once.
import { initAll } from "./nhsuk/nhsuk-frontend.min.js";

initAll();

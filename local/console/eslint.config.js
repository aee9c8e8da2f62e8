// Read by `make lint`, which runs it from the checkout's folder; the packages lie where set-up keeps them.
import { createRequire } from "node:module";

const require = createRequire(new URL("../../.enms/env/console/package.json", import.meta.url));
const js = require("@eslint/js");
const globals = require("globals");

const ESCAPES_NOTHING = "parses its text as HTML: make elements and set textContent.";

const rules = {
  ...js.configs.recommended.rules,
  complexity: ["error", 10],
  eqeqeq: "error",
  "no-eval": "error",
  "no-implicit-globals": "error",
  "no-implied-eval": "error",
  "no-restricted-properties": [
    "error",
    ...["innerHTML", "outerHTML", "insertAdjacentHTML"].map((property) => ({
      property,
      message: ESCAPES_NOTHING,
    })),
    { object: "document", property: "write", message: ESCAPES_NOTHING },
  ],
  "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
  "no-var": "error",
  "prefer-const": "error",
};

export default [
  { ignores: ["**/chart.umd.js"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["functions/ui/static/**/*.js"],
    languageOptions: { sourceType: "module", globals: { ...globals.browser, Chart: "readonly" } },
    rules,
  },
  {
    files: ["tests/console/**/*.mjs", "local/console/*.js"],
    languageOptions: { sourceType: "module", globals: globals.nodeBuiltin },
    rules,
  },
];

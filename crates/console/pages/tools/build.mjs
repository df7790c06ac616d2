// Builds the pages into ../dist: one script, one style sheet, the map, the typeface. The same source
// gives the same bytes; `source.sha256` says of which source they are.

import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

import { map } from "./map.mjs";

const pages = join(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(pages, "..", "dist");
const modules = join(pages, "node_modules");

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);

await build({
  entryPoints: [join(pages, "src", "main.ts"), join(pages, "console.css")],
  entryNames: "console",
  outdir: dist,
  bundle: true,
  minify: true,
  target: "es2022",
  charset: "utf8",
  external: ["*.woff2"],
  legalComments: "none",
});

const fonts = join(modules, "@fontsource", "be-vietnam-pro");
for (const subset of ["latin", "latin-ext", "vietnamese"]) {
  for (const weight of [400, 600]) {
    const name = `be-vietnam-pro-${subset}-${weight}-normal.woff2`;
    copyFileSync(join(fonts, "files", name), join(dist, `${subset}-${weight}.woff2`));
  }
}
for (const name of ["index.html", "mark.svg"]) {
  copyFileSync(join(pages, name), join(dist, name));
}
writeFileSync(join(dist, "map.json"), await map(pages));
writeFileSync(join(dist, "source.sha256"), `${digest(sources())}\n`);

/** Every file that the build depends on, in order. */
function sources() {
  const own = ["console.css", "index.html", "mark.svg", "package.json", "package-lock.json", "tsconfig.json"];
  const below = (folder) =>
    readdirSync(join(pages, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(pages.length + 1));
  return [...own, ...below("src"), ...below("tools")].sort();
}

/** SHA-256 over names and bytes. */
function digest(names) {
  const hash = createHash("sha256");
  for (const name of names) {
    const bytes = readFileSync(join(pages, name));
    hash.update(`${name}\n${bytes.length}\n`).update(bytes);
  }
  return hash.digest("hex");
}

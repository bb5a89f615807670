/** A part of `npm run build`: `dist/bin`, the program as it is run, from what was compiled. Run from the repository's root. */
import { rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { type BuildOptions, build } from 'esbuild';

const OUT = 'dist/bin';
const MAIN = 'dist/src/cli/main.js';
const options = {
  bundle: true,
  platform: 'node',
  target: 'node20.17',
  external: ['cli-table3', 'inquirer', 'msgpackr', 'node-forge', 'pino', 'prom-client'],
  logLevel: 'warning',
} as const satisfies BuildOptions;

rmSync(OUT, { recursive: true, force: true });
// in parts: what a command does not need is not read
await build({
  ...options,
  entryPoints: { main: MAIN, 'key-job': 'dist/src/runtime/key-job.js' },
  splitting: true,
  format: 'esm',
  banner: { js: "import { createRequire as doorOf } from 'node:module'; const require = doorOf(import.meta.url);" },
  inject: ['dist/src/cli/core.js'],
  outdir: OUT,
});
// as one script, and what chooses between the two: see boot.ts
const { outputFiles } = await build({
  ...options,
  entryPoints: [MAIN],
  format: 'cjs',
  define: { 'import.meta.url': 'hereUrl' },
  write: false,
});
const script = (outputFiles[0]?.text ?? '').replace(/\bimport\("([^"\\]+)"\)/g, (_all, name: string) => {
  if (!isBuiltin(name) && !options.external.some((each) => each === name)) throw new Error(`import of ${name}`);
  return `hereImport("${name}")`;
});
// within texts and the names of options
for (const left of script.matchAll(/\bimport\b.{0,40}/g))
  if (/^import ?\(/.test(left[0])) throw new Error(`an import that is left: ${left[0]}`);
writeFileSync(`${OUT}/program.cjs`, script);
await build({
  ...options,
  entryPoints: ['dist/src/cli/boot.js'],
  format: 'cjs',
  external: ['./main.js'],
  outfile: `${OUT}/boot.cjs`,
});

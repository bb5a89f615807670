/** `npm run generate`: writes what is printed from the registry. Run from the repository's root. */
import { writeFileSync } from 'node:fs';
import { generatedFiles } from './generated.ts';

for (const [file, text] of generatedFiles()) {
  writeFileSync(file, text);
  console.log(file);
}

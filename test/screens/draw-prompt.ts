/** Draws the screens of the prompt anew and keeps them. */
import { write } from './draw.ts';
import { drawPrompts } from './prompts.ts';

write(await drawPrompts(60), ['prompt']);

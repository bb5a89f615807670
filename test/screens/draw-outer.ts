/** Draws the screens of the program's own commands anew and keeps them. */
import { write } from './draw.ts';
import { drawOuter } from './outer.ts';

write(await drawOuter(), ['outer']);

/** The second half: `fuzz-a.test.ts`. */
import { amount } from '../amount.ts';
import { fuzz } from './fuzz-run.ts';

fuzz(20_271_127, amount(50_000, 1_000));

/** Methods that Node's Buffer has had since its beginning and its types leave out; they skip one encoding look-up per call. */
declare global {
  interface Buffer {
    utf8Slice(start: number, end: number): string;
    latin1Slice(start: number, end: number): string;
    utf8Write(text: string, at: number, length?: number): number;
    latin1Write(text: string, at: number, length?: number): number;
  }
}

export {};

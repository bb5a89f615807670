/** Lines on standard output, as many as there are: gathered, and no faster than they are taken. */
export class OfflineOutput {
  private text = '';
  private full = false;
  line(text: string): void {
    this.raw(`${text}\n`);
  }
  raw(text: string): void {
    this.text += text;
    if (this.text.length > 65536) this.flush();
  }
  private flush(): void {
    if (this.text === '') return;
    if (!process.stdout.write(this.text)) this.full = true;
    this.text = '';
  }
  /** To be waited for between two parts of long work; undefined when there is nothing to wait for. */
  rest(): Promise<void> | undefined {
    if (!this.full) return undefined;
    this.full = false;
    return new Promise((resolve) => process.stdout.once('drain', resolve));
  }
  end(): void {
    this.flush();
  }
}

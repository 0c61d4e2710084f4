/** What is remembered between builds, for one test. */
export class MemoryFacts {
  readonly values = new Map<string, string>();

  fact(kind: string, key: string): string | undefined {
    return this.values.get(`${kind} ${key}`);
  }

  putFact(kind: string, key: string, value: string): void {
    this.values.set(`${kind} ${key}`, value);
  }
}

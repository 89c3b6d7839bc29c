/** The server's clock, read from its answers: the charts move by it even when this computer's clock is wrong. */

export class ServerClock {
  private offset_ms: number | null = null;

  /** An answer of `serverTime` arrived at `now`. Small jitter of the way is smoothed, a jump is followed at once. */
  heard(serverTime: string, now: number): void {
    const offset = new Date(serverTime).getTime() - now;
    if (this.offset_ms === null || Math.abs(offset - this.offset_ms) > 1500) this.offset_ms = offset;
    else this.offset_ms += (offset - this.offset_ms) * 0.1;
  }

  /** Epoch milliseconds at the server. */
  at(now: number): number {
    return now + (this.offset_ms ?? 0);
  }
}

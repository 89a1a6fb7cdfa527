import { Observable } from './observable';

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken?: string;
  readonly idToken?: string;
  /** In milliseconds since the epoch, if it is known. */
  readonly expiresAt?: number;
}

/** A token is renewed this long before it expires, in milliseconds. */
const EARLY = 30_000;
const STORED = 'desk.tokens';

/**
 * `ended`: the token has expired, and what is on the screen waits for another one.
 * `not-staff`: the API knows the caller, who may not work here.
 */
export type SessionState = 'signed-out' | 'signed-in' | 'ended' | 'not-staff';

/** Whoever works at the desk. Their tokens live in this tab alone, and end with it. */
export class Session extends Observable {
  state: SessionState = 'signed-out';
  private tokens: Tokens | null = null;
  private renewal: Promise<void> | null = null;
  private leaving = new AbortController();

  constructor(
    private readonly storage: Storage,
    private readonly now: () => number,
    /** Null where the issuer doesn't renew it. Throws where that can't be told now. */
    private readonly renew: (tokens: Tokens) => Promise<Tokens | null>,
  ) {
    super();
    const stored = storage.getItem(STORED);
    if (stored !== null) this.accept(JSON.parse(stored) as Tokens);
  }

  accept(tokens: Tokens): void {
    this.tokens = tokens;
    this.storage.setItem(STORED, JSON.stringify(tokens));
    this.become('signed-in');
  }

  /** Aborts when whoever works here signs out. */
  get ending(): AbortSignal {
    return this.leaving.signal;
  }

  /** Forgets the tokens, and returns them, for the issuer to revoke. */
  signOut(): Tokens | null {
    const { tokens } = this;
    this.tokens = null;
    this.storage.clear();
    this.leaving.abort();
    this.leaving = new AbortController();
    this.become('signed-out');
    return tokens;
  }

  /** A token that is valid as far as is known here. Waits until there is one. */
  async token(signal?: AbortSignal): Promise<string> {
    const expiresAt = this.tokens?.expiresAt;
    if (this.state === 'signed-in' && expiresAt && expiresAt - EARLY <= this.now()) this.expired();
    await this.renewal;
    while (this.state !== 'signed-in' || !this.tokens) await this.nextChange(signal);
    return this.tokens.accessToken;
  }

  /** The API has refused this token. */
  refused(token: string): void {
    if (this.state === 'signed-in' && this.tokens?.accessToken === token) this.expired();
  }

  notStaff(): void {
    this.become('not-staff');
  }

  private expired(): void {
    const { tokens } = this;
    if (!tokens?.refreshToken) {
      this.become('ended');
      return;
    }
    this.renewal ??= this.renew(tokens)
      .catch(() => null)
      .then((renewed) => {
        this.renewal = null;
        if (this.tokens !== tokens) return;
        if (renewed) this.accept(renewed);
        else this.become('ended');
      });
  }

  private become(state: SessionState): void {
    this.state = state;
    this.changed();
  }

  private nextChange(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const stop = this.observe(() => {
        stop();
        resolve();
      });
      signal?.addEventListener('abort', () => {
        stop();
        reject(signal.reason as Error);
      });
    });
  }
}

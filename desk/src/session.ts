import { NoResponse } from './api';
import { Observable } from './observable';

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken?: string;
  readonly idToken?: string;
  /** When to use the refresh token, in milliseconds since the epoch, if that is known. */
  readonly renewFrom?: number;
}

const STORED = 'desk.tokens';

/** With the address of the API that the tokens are for: another may have the same origin. */
type Stored = Tokens & { readonly api: string };

/**
 * `ended`: the token is not valid any more, and what is on the screen waits for another one.
 * `not-staff`: the API knows the caller, who may not work here.
 */
export type SessionState = 'signed-out' | 'signed-in' | 'ended' | 'not-staff';

/** Whoever works at the desk. Their tokens live in this tab alone, and end with it. */
export class Session extends Observable {
  state: SessionState = 'signed-out';
  private tokens: Tokens | null = null;
  private renewal: Promise<void> | null = null;
  private leaving = new AbortController();
  /** What the API has refused: not to be used again. */
  private refusedTokens: Tokens | null = null;
  /** Whether the tokens are there because others were refused. */
  private isReplacement = false;

  constructor(
    private readonly api: string,
    private readonly storage: Storage,
    private readonly now: () => number,
    /** Null where the issuer doesn't renew it. Throws where that can't be told now. */
    private readonly renew: (tokens: Tokens) => Promise<Tokens | null>,
  ) {
    super();
    const stored = storage.getItem(STORED);
    if (stored === null) return;
    const { api: storedApi, ...tokens } = JSON.parse(stored) as Stored;
    if (storedApi === api) this.keep(tokens);
    else storage.clear();
  }

  /** Where they are another person's, the session so far ends as by a sign-out. */
  accept(tokens: Tokens): void {
    const person = personOf(tokens);
    if (this.tokens && (!person || person !== personOf(this.tokens))) this.signOut();
    this.isReplacement = false;
    this.keep(tokens);
  }

  /** Aborts when whoever works here signs out. Each session has one of its own. */
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

  /**
   * A token that is valid as far as is known here. Waits until there is one.
   *
   * Throws NoResponse where it must be renewed and can't be now, and the signal's own error where it
   * aborts.
   */
  async token(signal?: AbortSignal): Promise<string> {
    for (;;) {
      const before = this.tokens;
      if (this.state === 'signed-in' && before && this.isSpent(before)) await this.renewed(before);
      // Whatever the clock says, a new token is tried before it is renewed.
      if (this.state === 'signed-in' && this.tokens) return this.tokens.accessToken;
      await this.nextChange(signal);
    }
  }

  /** The API has let this token pass. */
  honored(token: string): void {
    if (this.tokens?.accessToken === token) this.isReplacement = false;
  }

  /** The API has refused this token. */
  refused(token: string): void {
    if (this.state !== 'signed-in' || this.tokens?.accessToken !== token) return;
    // If it refuses the replacement too, more of them won't help.
    if (this.isReplacement || !this.tokens.refreshToken) this.become('ended');
    else this.refusedTokens = this.tokens;
  }

  notStaff(): void {
    this.become('not-staff');
  }

  private isSpent(tokens: Tokens): boolean {
    if (tokens === this.refusedTokens) return true;
    const { refreshToken, renewFrom } = tokens;
    return refreshToken !== undefined && renewFrom !== undefined && renewFrom <= this.now();
  }

  /** One renewal, however many wait for it. */
  private renewed(tokens: Tokens): Promise<void> {
    this.renewal ??= this.renew(tokens)
      .then(
        (renewed) => {
          if (this.tokens !== tokens) return;
          if (!renewed) return this.become('ended');
          this.isReplacement = tokens === this.refusedTokens;
          this.keep(renewed);
        },
        (error: unknown) => {
          // It is renewed early: it may be valid still, which the API knows best.
          if (tokens === this.refusedTokens) throw new NoResponse(String(error));
        },
      )
      .finally(() => {
        this.renewal = null;
      });
    return this.renewal;
  }

  private keep(tokens: Tokens): void {
    this.tokens = tokens;
    const stored: Stored = { ...tokens, api: this.api };
    this.storage.setItem(STORED, JSON.stringify(stored));
    this.become('signed-in');
  }

  private become(state: SessionState): void {
    this.state = state;
    this.changed();
  }

  private nextChange(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const abort = () => {
        stop();
        reject(signal?.reason as Error);
      };
      const stop = this.observe(() => {
        stop();
        signal?.removeEventListener('abort', abort);
        resolve();
      });
      signal?.addEventListener('abort', abort);
    });
  }
}

/** Whose tokens they are; undefined where that can't be read. */
function personOf({ accessToken, idToken = '' }: Tokens): string | undefined {
  return subject(accessToken) ?? subject(idToken);
}

/** Of a JWT, which others verify. */
function subject(token: string): string | undefined {
  try {
    const payload = token.split('.')[1] ?? '';
    const claims = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as Claims;
    return claims.sub;
  } catch {
    return undefined;
  }
}

interface Claims {
  readonly sub?: string;
}

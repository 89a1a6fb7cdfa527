import type { Session, Tokens } from './session';
import type { Settings } from './settings';

/** How staff become known to the API. */
export class SignIn {
  /** Why the last attempt failed; else empty. */
  failure = '';

  constructor(private readonly settings: Settings) {}

  get isByIssuer(): boolean {
    return this.settings.clientId !== '';
  }

  /** Leaves the page for the issuer's. */
  async begin(): Promise<void> {}

  /** What the address of the page says about a sign-in. Nothing of it stays there. */
  async finish(session: Session): Promise<void> {
    const token = /^#token=([\w.-]+)$/.exec(location.hash)?.[1];
    if (token === undefined) return;
    history.replaceState(null, '', location.pathname);
    if (this.settings.takesTokenInLink) session.accept({ accessToken: token });
  }

  /** Null where the issuer gives no more. */
  async renew(_tokens: Tokens): Promise<Tokens | null> {
    return null;
  }

  async end(_tokens: Tokens | null): Promise<void> {}
}

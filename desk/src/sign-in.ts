import * as oauth from 'oauth4webapi';

import { Observable } from './observable';
import type { Session, Tokens } from './session';
import type { Settings } from './settings';
import { texts } from './texts';

const t = texts.signIn;

/** A token is renewed this long before it expires, in milliseconds; a short one at its half. */
const EARLY = 30_000;
/** By how much the clocks of this computer and of the issuer may differ, in seconds. */
const CLOCK_TOLERANCE = 300;
const TIMEOUT = 15_000;
/** A sign-out waits so long for the revocation, which goes on without it. */
const REVOCATION = 2000;
const STORED = 'desk.sign-in';
/** There from a sign-out to the next sign-in. */
const LEFT = 'desk.signed-out';
/** By RFC 6749, 5.2, and 403 from Auth0; with any other the issuer has trouble of its own. */
const REFUSED: ReadonlySet<number> = new Set([400, 401, 403]);

/** What is kept while the person is at the issuer's page. */
interface Begun {
  readonly verifier: string;
  readonly state: string;
  readonly nonce: string;
  /** Where in the desk they were. */
  readonly hash: string;
}

/** How staff become known to the API: OpenID Connect, authorization code with PKCE. */
export class SignIn extends Observable {
  /** Why the last attempt failed; else empty. */
  failure = '';
  /** Whether a sign-out is under way. */
  isLeaving = false;
  /** The issuer, where it may still have its own session of who has signed out; else empty. */
  leftAt = '';
  private readonly client: oauth.Client;
  private readonly options: { signal: () => AbortSignal; [oauth.allowInsecureRequests]: boolean };
  private discovery: Promise<oauth.AuthorizationServer> | null = null;

  constructor(private readonly settings: Settings) {
    super();
    this.client = { client_id: settings.clientId, [oauth.clockTolerance]: CLOCK_TOLERANCE };
    this.options = {
      signal: () => AbortSignal.timeout(TIMEOUT),
      // For tests: nobody listens in between.
      [oauth.allowInsecureRequests]: settings.issuer.startsWith('http://127.0.0.1:'),
    };
  }

  get isByIssuer(): boolean {
    return this.settings.clientId !== '';
  }

  /** Leaves the page for the issuer's. Throws an error that says why not. */
  async begin(): Promise<void> {
    try {
      const { authorization_endpoint } = await this.server();
      if (!authorization_endpoint) throw new Error(t.invalid('authorization_endpoint'));
      const begun: Begun = {
        verifier: oauth.generateRandomCodeVerifier(),
        state: oauth.generateRandomState(),
        nonce: oauth.generateRandomNonce(),
        hash: location.hash,
      };
      const { scope, audience } = this.settings;
      const address = withParameters(authorization_endpoint, {
        response_type: 'code',
        client_id: this.client.client_id,
        redirect_uri: pageAddress(),
        scope,
        state: begun.state,
        nonce: begun.nonce,
        code_challenge: await oauth.calculatePKCECodeChallenge(begun.verifier),
        code_challenge_method: 'S256',
        ...(audience && { audience }),
        // Who signs in after a sign-out may be another person.
        ...(sessionStorage.getItem(LEFT) !== null && { prompt: 'login' }),
      });
      sessionStorage.setItem(STORED, JSON.stringify(begun));
      location.assign(address);
    } catch (error) {
      throw new Error(inWords(error));
    }
  }

  /** What the address of the page says about a sign-in. Nothing of it stays there. */
  async finish(session: Session): Promise<void> {
    this.takeLink(session);
    const response = new URLSearchParams(location.search);
    if (!this.isByIssuer || !(response.has('code') || response.has('error'))) return;
    const stored = sessionStorage.getItem(STORED);
    const begun = stored === null ? null : (JSON.parse(stored) as Begun);
    sessionStorage.removeItem(STORED);
    history.replaceState(null, '', location.pathname + (begun?.hash ?? ''));
    try {
      if (!begun) throw new Error(t.notBegunHere);
      // Some issuers leave the state out then; nobody gains anything by sending somebody here.
      if (response.get('error') === 'access_denied') throw new Error(t.denied);
      if (response.get('state') !== begun.state) throw new Error(t.notBegunHere);
      session.accept(await this.exchanged(response, begun));
      sessionStorage.removeItem(LEFT);
    } catch (error) {
      // Who is signed in has nothing to do with what others began.
      if (begun || session.state !== 'signed-in') this.failure = inWords(error);
    }
  }

  /** A link that signs in would also sign somebody in as another: it is for `make up` alone. */
  takeLink(session: Session): void {
    if (!location.hash.startsWith('#token=')) return;
    const accessToken = location.hash.slice('#token='.length);
    history.replaceState(null, '', location.pathname);
    if (this.settings.takesTokenInLink && isToken(accessToken)) session.accept({ accessToken });
  }

  /** Null where the issuer gives no more. Throws where that can't be told now. */
  async renew(tokens: Tokens): Promise<Tokens | null> {
    if (!tokens.refreshToken) return null;
    const { client } = this;
    const server = await this.server();
    const response = await oauth.refreshTokenGrantRequest(
      server,
      client,
      oauth.None(),
      tokens.refreshToken,
      this.options,
    );
    if (!response.ok && !REFUSED.has(response.status)) throw new Error(`HTTP ${response.status}`);
    try {
      const renewed = await oauth.processRefreshTokenResponse(server, client, response);
      // Many issuers give a refresh token or an ID token only once.
      return { ...tokens, ...kept(renewed) };
    } catch {
      return null;
    }
  }

  /** Ends the session at the issuer too, as far as it has a way to: that leaves the page. */
  async end(tokens: Tokens | null): Promise<void> {
    if (!this.isByIssuer || !tokens) return;
    sessionStorage.setItem(LEFT, 'true');
    this.failure = this.leftAt = '';
    this.isLeaving = true;
    this.changed();
    const server = await this.server().catch(() => null);
    const { refreshToken, idToken } = tokens;
    if (refreshToken && server?.revocation_endpoint) await this.revoked(server, refreshToken);
    if (server?.end_session_endpoint) {
      location.assign(
        withParameters(server.end_session_endpoint, {
          client_id: this.client.client_id,
          post_logout_redirect_uri: pageAddress(),
          logout_uri: pageAddress(), // as Cognito calls it
          // Okta requires it. Where the API takes it like an access token, it stays out of addresses.
          ...(idToken && this.settings.audience && { id_token_hint: idToken }),
        }),
      );
      return;
    }
    this.leftAt = new URL(this.settings.issuer).host;
    this.isLeaving = false;
    this.changed();
  }

  /** As far as that is known in time; it expires anyway. */
  private async revoked(server: oauth.AuthorizationServer, refreshToken: string): Promise<void> {
    const revocation = oauth.revocationRequest(server, this.client, oauth.None(), refreshToken, {
      ...this.options,
      // It outlives the page.
      [oauth.customFetch]: (url, options) =>
        fetch(url, { ...(options as RequestInit), keepalive: true }),
    });
    const late = new Promise((resolve) => setTimeout(resolve, REVOCATION));
    await Promise.race([revocation.catch(() => undefined), late]);
  }

  private async exchanged(response: URLSearchParams, begun: Begun): Promise<Tokens> {
    const { client } = this;
    const server = await this.server();
    const parameters = oauth.validateAuthResponse(server, client, response, begun.state);
    const reply = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      oauth.None(),
      parameters,
      pageAddress(),
      begun.verifier,
      this.options,
    );
    return kept(
      await oauth.processAuthorizationCodeResponse(server, client, reply, {
        expectedNonce: begun.nonce,
        requireIdToken: true,
      }),
    );
  }

  /** What the issuer says about itself. */
  private server(): Promise<oauth.AuthorizationServer> {
    const issuer = new URL(this.settings.issuer);
    this.discovery ??= oauth
      .discoveryRequest(issuer, this.options)
      .then((response) => oauth.processDiscoveryResponse(issuer, response))
      .catch((error: unknown) => {
        this.discovery = null;
        throw error;
      });
    return this.discovery;
  }
}

/** Whether the text has the form of a JWT (RFC 7519). */
export function isToken(text: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text);
}

/** Where the issuer sends people back to. */
function pageAddress(): string {
  return location.origin + location.pathname;
}

function withParameters(address: string, parameters: Record<string, string>): string {
  const url = new URL(address);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

function kept(response: oauth.TokenEndpointResponse): Tokens {
  const { access_token, refresh_token, id_token, expires_in } = response;
  const lifetime = 1000 * (expires_in ?? 0);
  return {
    accessToken: access_token,
    ...(refresh_token && { refreshToken: refresh_token }),
    ...(id_token && { idToken: id_token }),
    ...(lifetime && { renewFrom: Date.now() + Math.max(lifetime - EARLY, lifetime / 2) }),
  };
}

function inWords(error: unknown): string {
  if (error instanceof oauth.AuthorizationResponseError || error instanceof oauth.ResponseBodyError)
    return t.issuerSays(error.error_description ?? error.error);
  if (error instanceof oauth.OperationProcessingError) {
    if (error.code === oauth.JWT_TIMESTAMP_CHECK) return t.wrongClock;
    if (error.code === oauth.RESPONSE_IS_NOT_CONFORM) return t.unreachable;
    return t.invalid(error.message);
  }
  // What fetch throws: nothing else is to be known about it.
  if (error instanceof TypeError || error instanceof DOMException) return t.unreachable;
  return error instanceof Error ? error.message : String(error);
}

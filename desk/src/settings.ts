/** What the function `desk` writes into the page. */
export interface Settings {
  /** The OpenID Connect issuer; empty where staff paste a token. */
  readonly issuer: string;
  readonly clientId: string;
  readonly scope: string;
  /** The API that the token is for, where it has to be named; empty where it takes ID tokens too. */
  readonly audience: string;
  /** Whether `#token=` in the address signs in: on a stage of this machine alone. */
  readonly takesTokenInLink: boolean;
}

export function readSettings(): Settings {
  return JSON.parse(document.getElementById('settings')?.textContent ?? '') as Settings;
}

/** The address of the API that serves this page at `/desk`, without a slash at the end. */
export const API_ADDRESS = location.pathname.replace(/\/desk\/?$/, '');

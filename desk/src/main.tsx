import { render } from 'preact';

import { App } from './app';
import { Session } from './session';
import { API_ADDRESS, readSettings } from './settings';
import { SignIn } from './sign-in';
import { texts } from './texts';

async function start(root: Element): Promise<void> {
  const signIn = new SignIn(readSettings());
  const session = new Session(API_ADDRESS, sessionStorage, Date.now, (tokens) =>
    signIn.renew(tokens),
  );
  root.textContent = texts.loading;
  await signIn.finish(session);
  addEventListener('hashchange', () => signIn.takeLink(session));
  // The page as it was when it was left may show what has been signed out since.
  addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
  root.replaceChildren();
  render(<App session={session} signIn={signIn} />, root);
}

const root = document.getElementById('desk');
if (root) void start(root);

import { useState } from 'preact/hooks';

import { useObservable } from '../observable';
import { Heading } from '../parts/heading';
import type { Session } from '../session';
import { isToken, type SignIn } from '../sign-in';
import { texts } from '../texts';

const t = texts.signIn;

interface Props {
  readonly session: Session;
  readonly signIn: SignIn;
}

export function SignInScreen(props: Props) {
  const { isLeaving, leftAt } = useObservable(props.signIn);
  return (
    <main id="content" class="narrow">
      <Heading title={isLeaving ? t.leaving : t.title} />
      {leftAt && (
        <p class="message" role="status">
          {t.leftAt(leftAt)}
        </p>
      )}
      {!isLeaving && <SignInForm {...props} />}
    </main>
  );
}

/** By the issuer, or where the stage has none for the desk, with a token. */
export function SignInForm({ session, signIn }: Props) {
  const [fault, setFault] = useState(signIn.failure);
  const begin = () => signIn.begin().catch((error: Error) => setFault(error.message));
  return (
    <>
      {fault && (
        <p class="message failure" role="alert">
          {t.failed(fault)}
        </p>
      )}
      {signIn.isByIssuer ? (
        <button type="button" class="primary" onClick={() => void begin()}>
          {session.state === 'ended' ? t.again : t.submit}
        </button>
      ) : (
        <TokenForm session={session} />
      )}
    </>
  );
}

function TokenForm({ session }: { session: Session }) {
  const [fault, setFault] = useState('');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const form = new FormData(event.currentTarget);
        const accessToken = String(form.get('token'))
          .trim()
          .replace(/^Bearer +/i, '');
        if (isToken(accessToken)) session.accept({ accessToken });
        else setFault(t.notAToken);
      }}
    >
      <label>
        {t.token} <span class="small">{t.tokenHint}</span>
        <input
          name="token"
          type="password"
          autocomplete="off"
          required
          aria-invalid={fault !== ''}
          aria-describedby="token-fault"
        />
      </label>
      <p id="token-fault" role="alert" class="fault">
        {fault}
      </p>
      <button type="submit" class="primary">
        {session.state === 'ended' ? t.again : t.submit}
      </button>
    </form>
  );
}

import type { TimelineEvent } from '../api';
import { texts } from '../texts';
import { Status, Time } from './show';

const t = texts.order;

export function Timeline({ events }: { events: readonly TimelineEvent[] }) {
  return (
    <ol class="timeline">
      {events.map((event) => (
        <Event key={event.version} event={event} />
      ))}
    </ol>
  );
}

function Event({ event }: { event: TimelineEvent }) {
  const { status, previousStatus, actor, actorId, reason, changedAt } = event;
  return (
    <li>
      <Status status={status}>
        {previousStatus === null ? t.began : previousStatus === status ? t.forgotten : undefined}
      </Status>{' '}
      <bdi>{texts.actor(actor, actorId)}</bdi>{' '}
      {reason !== null && (
        <q>
          <bdi>{texts.reason(reason)}</bdi>
        </q>
      )}{' '}
      <Time at={changedAt} />
    </li>
  );
}

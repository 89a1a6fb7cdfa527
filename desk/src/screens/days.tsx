import { Heading } from '../parts/heading';
import type { Api } from '../api';
import { texts } from '../texts';

export function Days(_props: { readonly api: Api; readonly count: number }) {
  return <Heading title={texts.reports.title} />;
}

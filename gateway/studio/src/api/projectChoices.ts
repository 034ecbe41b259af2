import { useQuery } from '@tanstack/react-query';
import { api, taken } from './client';
import { keys } from './keys';

export interface ProjectChoice {
  id: string;
  name: string;
}

/** The projects that something can be put into, by name. */
export function useProjectChoices() {
  return useQuery({ queryKey: [...keys.projects, 'choices'], queryFn: fetchChoices, staleTime: 60_000 });
}

async function fetchChoices(): Promise<ProjectChoice[]> {
  const page = await taken(api.GET('/api/v1/projects', { params: { query: { limit: 100 } as never } }));
  const choices = page.data.map(({ id, name }) => ({ id, name }));
  return choices.toSorted((a, b) => a.name.localeCompare(b.name));
}

import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, type Schema, taken } from './client';
import { keys } from './keys';
import type { Page } from './pages';

export type Project = Schema['ProjectResource'];
export type ProjectDeletion = Schema['ProjectDeletion'];
export type ProjectAsset = Schema['AssetResource'];

/** What a form of a project says; a budget of 0 is none. */
export interface ProjectWords {
  name: string;
  description: string | null;
  budget_nanos: number;
}

export async function fetchProjects(archived: boolean, after?: string): Promise<Page<Project>> {
  const query = { archived: String(archived), counted: true, ...(after && { after }) };
  return taken(api.GET('/api/v1/projects', { params: { query: query as never } }));
}

export function projectQuery(id: string) {
  return queryOptions({
    queryKey: keys.project(id),
    queryFn: () => taken(api.GET('/api/v1/projects/{id}', { params: { path: { id } } })),
  });
}

export function createProject(words: ProjectWords): Promise<Project> {
  return taken(api.POST('/api/v1/projects', { body: words as never }));
}

export function changeProject(
  id: string,
  changes: Partial<ProjectWords> & { archived?: boolean },
): Promise<Project> {
  return taken(api.PATCH('/api/v1/projects/{id}', { params: { path: { id } }, body: changes as never }));
}

/** What would go and what would stay when it is deleted. Changes nothing. */
export function tryDeletion(id: string): Promise<ProjectDeletion> {
  return remove(id, true);
}

export function deleteProject(id: string): Promise<ProjectDeletion> {
  return remove(id, false);
}

function remove(id: string, dryRun: boolean): Promise<ProjectDeletion> {
  const query = { hard: true, dry_run: dryRun };
  return taken(api.DELETE('/api/v1/projects/{id}', { params: { path: { id }, query } }));
}

export interface ProjectChoice {
  id: string;
  name: string;
}

/** The projects that something can be put into, by name. */
export function useProjectChoices() {
  return useQuery(projectChoicesQuery());
}

export function projectChoicesQuery() {
  return queryOptions({
    queryKey: [...keys.projects, 'choices'],
    queryFn: fetchChoices,
    staleTime: 60_000,
  });
}

async function fetchChoices(): Promise<ProjectChoice[]> {
  const page = await taken(api.GET('/api/v1/projects', { params: { query: { limit: 100 } as never } }));
  const choices = page.data.map(({ id, name }) => ({ id, name }));
  return choices.toSorted((a, b) => a.name.localeCompare(b.name));
}

export async function fetchProjectAssets(project: string, limit: number): Promise<Page<ProjectAsset>> {
  const query = { project, limit };
  return taken(api.GET('/api/v1/assets', { params: { query: query as never } }));
}

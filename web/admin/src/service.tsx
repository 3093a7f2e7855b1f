/** What every view works with: the API, the status, and how an action is told of. */

import { Toast } from "@base-ui/react/toast";
import { createContext, type ReactNode, use, useMemo } from "react";

import type { AdminApi } from "./api/api";
import type { Status } from "./api/types";
import { type Resource, useResource } from "./resource";
import type { PageConfig } from "./sign-in/config";

/** The status asks several services, so it is read at leisure; a sweep that runs is followed by itself. */
const STATUS_EVERY = 15_000;

interface Service {
  api: AdminApi;
  config: PageConfig;
  status: Resource<Status>;
  /** Tells that something was done. */
  tell: (title: string, detail?: string) => void;
}

const ServiceContext = createContext<Service | null>(null);

export function ServiceProvider({ api, config, children }: { api: AdminApi; config: PageConfig; children: ReactNode }) {
  const status = useResource("status", (signal) => api.status(signal), STATUS_EVERY);
  const { add } = Toast.useToastManager();
  const service = useMemo<Service>(
    () => ({ api, config, status, tell: (title, detail) => void add({ title, description: detail }) }),
    [api, config, status, add],
  );
  return <ServiceContext value={service}>{children}</ServiceContext>;
}

export function useService(): Service {
  const service = use(ServiceContext);
  if (!service) throw new Error("ServiceProvider is missing");
  return service;
}

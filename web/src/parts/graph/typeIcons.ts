import type { NodeType } from "../../api/types";
import cache from "./icons/cache.svg?url";
import client from "./icons/client.svg?url";
import database from "./icons/database.svg?url";
import external from "./icons/external.svg?url";
import messaging from "./icons/messaging.svg?url";
import service from "./icons/service.svg?url";

/** Addresses of the pictures: Cytoscape draws from files, and our security policy allows no data: addresses. */
export const TYPE_ICONS: Record<NodeType, string> = { service, database, cache, messaging, external, client };

/* SPDX-License-Identifier: Apache-2.0 */
/* Proxies that Docker's files name. */
#ifndef CONFIG_PROXIES_H
#define CONFIG_PROXIES_H

/*
 * Where no variable names a proxy (http_proxy, https_proxy, no_proxy,
 * all_proxy, in either case), sets them as "proxies" of /etc/docker/daemon.json
 * says, by which the daemon reaches registries, or else those of the default in
 * $DOCKER_CONFIG or ~/.docker/config.json, which docker gives its containers.
 * Programs that are started have them, too. While there is one thread.
 */
void proxies_use(void);

#endif

/* SPDX-License-Identifier: MIT */
/* Files with secrets: read only where nobody else could have read or written them. */
#ifndef GATEWAYS_MQTT_GW_SECRET_H
#define GATEWAYS_MQTT_GW_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A regular file that we can read. is_secret: it must be ours (or root's), and nobody else may read or write
 * it. 0, or a negative errno with a sentence.
 */
int mqtt_gw_file_check(const char *path, bool is_secret, char *err, size_t err_size);
/* Two lines: user, password; neither empty. The sentence in err never holds either of them. */
int mqtt_gw_secret_read(const char *path, char *user, size_t user_size, char *password, size_t password_size,
			char *err, size_t err_size);

#endif

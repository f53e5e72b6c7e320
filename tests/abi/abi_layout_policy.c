/* SPDX-License-Identifier: MIT */
/*
 * Prints size and offsets of everything that crosses the border to an allocation policy, as abi_layout.c does for drivers;
 * policies came with ABI 1.1.
 */
#include <forecourt/alloc_policy.h>

#include <stdio.h>

#define SIZE(type) printf("size " #type " %zu\n", sizeof(struct type))
#define AT(type, member)                                                            \
	printf("at " #type "." #member " %zu %zu\n", offsetof(struct type, member), \
	       sizeof(((struct type *)0)->member))

static void print_alloc_dir(void)
{
	SIZE(alloc_dir);
	AT(alloc_dir, cos_q30);
	AT(alloc_dir, sin_q30);
}

static void print_alloc_row(void)
{
	SIZE(alloc_row);
	AT(alloc_row, first_member);
	AT(alloc_row, n_members);
	AT(alloc_row, first_dir);
	AT(alloc_row, n_dirs);
	AT(alloc_row, node);
	AT(alloc_row, phase);
}

static void print_alloc_member(void)
{
	SIZE(alloc_member);
	AT(alloc_member, point);
	AT(alloc_member, row);
	AT(alloc_member, coef_q16);
	AT(alloc_member, dir);
}

static void print_alloc_site(void)
{
	SIZE(alloc_site);
	AT(alloc_site, size);
	AT(alloc_site, version);
	AT(alloc_site, n_points);
	AT(alloc_site, n_rows);
	AT(alloc_site, n_members);
	AT(alloc_site, row);
	AT(alloc_site, dir);
	AT(alloc_site, member);
	AT(alloc_site, first_of);
	AT(alloc_site, of_point);
}

static void print_alloc_point(void)
{
	SIZE(alloc_point);
	AT(alloc_point, state);
	AT(alloc_point, id);
	AT(alloc_point, class);
	AT(alloc_point, weight_permille);
	AT(alloc_point, min_mA);
	AT(alloc_point, max_mA);
	AT(alloc_point, step_mA);
	AT(alloc_point, max_discharge_mA);
	AT(alloc_point, grant_mA);
	AT(alloc_point, drawn_mA);
	AT(alloc_point, mW_per_mA);
	AT(alloc_point, reserved);
	AT(alloc_point, since_us);
	AT(alloc_point, changed_us);
	AT(alloc_point, departure_us);
	AT(alloc_point, energy_mWh);
}

static void print_alloc_outlook(void)
{
	SIZE(alloc_outlook);
	AT(alloc_outlook, from_us);
	AT(alloc_outlook, price);
	AT(alloc_outlook, limit_permille);
}

static void print_alloc_grant(void)
{
	SIZE(alloc_grant);
	AT(alloc_grant, mA);
	AT(alloc_grant, reason);
	AT(alloc_grant, row);
	AT(alloc_grant, reserved);
}

static void print_alloc_kit(void)
{
	SIZE(alloc_kit);
	AT(alloc_kit, size);
	AT(alloc_kit, reserved);
	AT(alloc_kit, ctx);
	AT(alloc_kit, sort);
	AT(alloc_kit, admit);
	AT(alloc_kit, fill_order);
	AT(alloc_kit, fill_level);
	AT(alloc_kit, fill_price);
	AT(alloc_kit, climb);
	AT(alloc_kit, most);
	AT(alloc_kit, get);
	AT(alloc_kit, set);
	AT(alloc_kit, cap);
	AT(alloc_kit, finish);
	AT(alloc_kit, fill_price_steady);
}

static void print_alloc_call(void)
{
	SIZE(alloc_call);
	AT(alloc_call, size);
	AT(alloc_call, n_points);
	AT(alloc_call, now_us);
	AT(alloc_call, site);
	AT(alloc_call, limit_mA);
	AT(alloc_call, export_limit_mA);
	AT(alloc_call, point);
	AT(alloc_call, point_stride);
	AT(alloc_call, outlook_stride);
	AT(alloc_call, outlook);
	AT(alloc_call, n_outlook);
	AT(alloc_call, grant_stride);
	AT(alloc_call, grant);
	AT(alloc_call, kit);
	AT(alloc_call, arena);
	AT(alloc_call, again_us);
}

static void print_alloc_policy_ops(void)
{
	SIZE(alloc_policy_ops);
	AT(alloc_policy_ops, init);
	AT(alloc_policy_ops, arena_size);
	AT(alloc_policy_ops, allocate);
	AT(alloc_policy_ops, fini);
}

int main(void)
{
	print_alloc_dir();
	print_alloc_row();
	print_alloc_member();
	print_alloc_site();
	print_alloc_point();
	print_alloc_outlook();
	print_alloc_grant();
	print_alloc_kit();
	print_alloc_call();
	print_alloc_policy_ops();
	return 0;
}

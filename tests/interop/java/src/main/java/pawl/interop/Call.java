// SPDX-License-Identifier: Apache-2.0
package pawl.interop;

/** One start of an activity, as the worker process saw it. */
record Call(String activity, Step input, long pid, long atMs) {}

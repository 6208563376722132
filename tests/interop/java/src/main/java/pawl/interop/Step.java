// SPDX-License-Identifier: Apache-2.0
package pawl.interop;

/** The input of every activity. The SDK does not tell an activity its instance. */
record Step(String instanceId, int number, String text) {}

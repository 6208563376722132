// SPDX-License-Identifier: Apache-2.0

import * as z from "zod";
import { nameProblem } from "./name.js";

/** The version of Dapr's resources. */
export const apiVersion = "dapr.io/v1alpha1";

const text = z.string("must be text");
const filledText = text.min(1, "must not be empty");

/** The least that every resource of Dapr's has. */
export const resourceHead = z.looseObject(
  { apiVersion: text, kind: filledText },
  "must be a resource, with apiVersion and kind",
);

/** The least that every component has, of whatever type. */
export const componentHead = z.looseObject({
  apiVersion: z.literal(apiVersion, `must be "${apiVersion}"`),
  metadata: z.looseObject({ name: filledText }, "must have a name"),
  spec: z.looseObject({ type: filledText }, "must have a type"),
});

const metadataItem = z
  .strictObject({
    name: filledText,
    value: z
      .union([z.string(), z.number(), z.boolean(), z.null()], "must be text, a number or a boolean")
      .optional(),
    secretKeyRef: z
      .strictObject({ name: filledText, key: text.optional() }, "must have a name")
      .optional(),
    envRef: filledText.optional(),
  })
  .refine(
    ({ value, secretKeyRef, envRef }) =>
      [value, secretKeyRef, envRef].filter((one) => one !== undefined).length === 1,
    "must have one of value, secretKeyRef and envRef",
  );

/** One name and value of a component's `spec.metadata`. */
export type MetadataItem = z.infer<typeof metadataItem>;

/** Versions that mean the first, as in Dapr, and those of Dapr's workflow components. */
const versions = ["v1", "v1.0-beta1", "v1.0-alpha1"];

/** A component of a type that Pawl has. */
export const componentSchema = z.strictObject({
  apiVersion: text,
  kind: text,
  metadata: z.strictObject({
    name: text.superRefine((name, context) => {
      const message = nameProblem(name);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    }),
    // For Kubernetes: they say nothing about what a component does.
    namespace: z.unknown().optional(),
    labels: z.unknown().optional(),
    annotations: z.unknown().optional(),
  }),
  auth: z.strictObject({ secretStore: filledText }).optional(),
  scopes: z.array(filledText, "must be a list of app ids").optional(),
  spec: z.strictObject({
    type: text,
    version: text
      .refine((version) => versions.includes(version), `must be one of ${versions.join(", ")}`)
      .default("v1"),
    ignoreErrors: z.boolean("must be true or false").default(false),
    metadata: z.array(metadataItem, "must be a list of names with values").default([]),
  }),
});

/** What a component's file says. */
export type ComponentResource = z.infer<typeof componentSchema>;

# SPDX-License-Identifier: Apache-2.0
"""Calls a unary method of a server of which nothing is known but its address: the messages are
built from what gRPC reflection tells. Takes and prints JSON.

Usage: call.py HOST:PORT PACKAGE.SERVICE/METHOD JSON
"""

import json
import sys

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

DEADLINE_SECONDS = 30


def call(address: str, method_path: str, request_json: str) -> dict[str, object]:
    """The response, or `{"error": CODE, "message": TEXT}`."""
    service_name, method_name = method_path.split("/")
    with grpc.insecure_channel(address) as channel:
        pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
        method = pool.FindServiceByName(service_name).FindMethodByName(method_name)
        request_class = message_factory.GetMessageClass(method.input_type)
        response_class = message_factory.GetMessageClass(method.output_type)
        invoke = channel.unary_unary(
            f"/{method_path}",
            request_serializer=request_class.SerializeToString,
            response_deserializer=response_class.FromString,
        )
        try:
            response = invoke(
                json_format.Parse(request_json, request_class()), timeout=DEADLINE_SECONDS
            )
        except grpc.RpcError as error:
            return {"error": error.code().name, "message": error.details()}
        return json_format.MessageToDict(response)


if __name__ == "__main__":
    print(json.dumps(call(*sys.argv[1:4])))

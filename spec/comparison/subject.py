# SPDX-License-Identifier: Apache-2.0
# What the comparison runs, by the official Python SDK: subject.py sync|async VERB [ARG...], the service by
# $CONFIDENT_BASE_URL and $CONFIDENT_ORG_API_KEY. Prints what happened as one line of JSON, as its siblings do.

import asyncio
import inspect
import json
import ssl
import sys

DEFAULT_CONTEXT = ssl.create_default_context


# The sandbox's certificate is its own authority, which Python since 3.13 takes only so. It is verified all the same.
def context(*arguments, **named):
    made = DEFAULT_CONTEXT(*arguments, **named)
    made.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    return made


ssl.create_default_context = context
import confidentai  # noqa: E402

ASYNC = sys.argv[1] == "async"
# Two generations of the SDK: a client of its own for async, or methods whose names begin with a_.
CLIENT = getattr(confidentai, "AsyncConfidentAI", None) if ASYNC else None
CLIENT = CLIENT or confidentai.ConfidentAI
PREFIX = "a_" if ASYNC and CLIENT is confidentai.ConfidentAI else ""


async def call(resource, method, *arguments):
    result = getattr(resource, PREFIX + method)(*arguments)
    return await result if inspect.isawaitable(result) else result


async def create(client, name):
    key = await call(client.organization().api_keys, "create", name)
    return {"secret": key.value, "printed": str(key) + repr(key)}


async def list(client):
    keys = await call(client.organization().api_keys, "list")
    return {"ids": [key.id for key in keys]}


async def list_project(client, project_id):
    keys = await call(client.project(project_id).api_keys, "list")
    return {"ids": [key.id for key in keys]}


async def delete_project_key(client, project_id, key_id):
    await call(client.project(project_id).api_keys, "delete", key_id)
    return {}


async def client(client):
    return {"base_url": client.base_url, "printed": str(client) + repr(client)}


# Every key of the organization and of every project, as one would write it with this SDK.
async def audit(client):
    projects = await call(client.projects, "list")
    places = [client.organization()] + [client.project(project.id) for project in projects]
    if ASYNC:
        lists = await asyncio.gather(*[call(place.api_keys, "list") for place in places])
    else:
        lists = [await call(place.api_keys, "list") for place in places]
    return {"count": sum(len(keys) for keys in lists)}


async def methods(client):
    keys = client.organization().api_keys
    return {"names": [name for name in ("rotate", "provision", "ensure") if hasattr(keys, PREFIX + name)]}


try:
    answer = asyncio.run(globals()[sys.argv[2]](CLIENT(), *sys.argv[3:]))
except Exception as error:
    answer = {"error": type(error).__name__, "message": str(error)}
print(json.dumps(answer))

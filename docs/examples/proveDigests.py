#!/usr/bin/env python3
"""Proves a copy that `kvbackup audit --prove all --save-copy FOLDER` made, by docs/formats.md alone.

    python3 proveDigests.py FOLDER KEYS

KEYS is a JWK Set of the public keys that are trusted. Needs Python 3.9 and openssl, and nothing of this project.
Prints a line for each day; ends with 0 when every day is proved, else with 1.
"""
import base64, datetime, gzip, hashlib, json, os, re, subprocess, sys, tempfile

folder, keys_file = sys.argv[1:3]


def unbase64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def der(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    head = bytes([size]) if size < 128 else (lambda b: bytes([128 + len(b)]) + b)(size.to_bytes((size.bit_length() + 7) // 8, "big"))
    return bytes([tag]) + head + body


def der_integer(number):
    return der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


CURVES = {"P-256": "06082a8648ce3d030107", "P-384": "06052b81040022", "P-521": "06052b81040023"}


def public_key(jwk):
    """SubjectPublicKeyInfo of a JWK, as PEM."""
    if jwk["kty"] == "RSA":
        numbers = [der_integer(int.from_bytes(unbase64(jwk[name]), "big")) for name in ("n", "e")]
        algorithm = der(48, bytes.fromhex("06092a864886f70d010101"), der(5))
        bits = der(48, *numbers)
    else:
        algorithm = der(48, bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex(CURVES[jwk["crv"]]))
        bits = b"\x04" + unbase64(jwk["x"]) + unbase64(jwk["y"])
    spki = der(48, algorithm, der(3, b"\0" + bits))
    return "-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(spki).decode() + "-----END PUBLIC KEY-----\n"


def thumbprint(jwk):
    """RFC 7638: the id of a key that has none."""
    members = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}[jwk["kty"]]
    text = json.dumps({name: jwk[name] for name in members}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def algorithm_of(jwk):
    return "PS256" if jwk["kty"] == "RSA" else {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}[jwk["crv"]]


def is_signed(jwk, alg, message, signature):
    options = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"] if alg == "PS256" else []
    if alg.startswith("ES"):
        half = len(signature) // 2
        signature = der(48, *[der_integer(int.from_bytes(part, "big")) for part in (signature[:half], signature[half:])])
    with tempfile.TemporaryDirectory() as place:
        for name, content in (("key", public_key(jwk).encode()), ("signature", signature), ("message", message)):
            with open(os.path.join(place, name), "wb") as file:
                file.write(content)
        command = ["openssl", "dgst", "-sha" + alg[2:], *options, "-verify", "key", "-signature", "signature", "message"]
        return subprocess.run(command, cwd=place, capture_output=True).returncode == 0


def canonical(entry):
    """RFC 8785. Names of members are ASCII here, so the order of code points is that of code units."""
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


with open(keys_file, encoding="utf-8") as file:
    trusted = {key.get("kid") or thumbprint(key): key for key in json.load(file)["keys"]}
with open(os.path.join(folder, "copy.json"), encoding="utf-8") as file:
    about = json.load(file)
with open(os.path.join(folder, "listing.jsonl"), encoding="utf-8", newline="\n") as file:
    listing = [json.loads(line) for line in file]

listed = {}
for entry in sorted((e for e in listing if e["name"].startswith(("gaps/", "v1/"))), key=lambda e: e["name"].encode("utf-16-be")):
    listed.setdefault(entry["createdAt"][:10], []).append(canonical(entry))

pattern = re.compile(r"digest/v1/(\d{4}-\d\d-\d\d)(?:\.([1-9]))?\.json")
names = sorted((m[1], m[2] or "0", m[0]) for m in (pattern.fullmatch(e["name"]) for e in listing) if m)
problems = []
previous = None
for day, _, name in names:
    with open(os.path.join(folder, name), "rb") as file:
        stored = file.read()
    wrong = []
    try:
        jws = json.loads(stored)
        header = json.loads(unbase64(jws["protected"]))
        digest = json.loads(unbase64(jws["payload"]))
        header["kid"], header["alg"], header["typ"], digest["format"], digest["day"], digest["store"], digest["entries"]
    except (ValueError, KeyError, TypeError):
        print(day, "WRONG: no digest lies under the name", name)
        problems.append(name)
        continue
    key = trusted.get(header["kid"])
    message = (jws["protected"] + "." + jws["payload"]).encode("ascii")
    if key is None or header["alg"] != algorithm_of(key) or header["typ"] != "kvb-digest+json":
        wrong.append("signed with a key that is not trusted")
    elif not is_signed(key, header["alg"], message, unbase64(jws["signature"])):
        wrong.append("not signed by its key")
    if digest["format"] != "keyvault-digest/1" or digest["day"] != day or digest["store"] != about["store"]:
        wrong.append("not the digest of this day and store")
    lines = listed.get(day, [])
    if digest["entries"] != {"count": len(lines), "sha256": hashlib.sha256(b"".join(lines)).hexdigest()}:
        wrong.append("the entries of the listing are others")
        vouched = set()
        for entries in digest["lists"]:
            with gzip.open(os.path.join(folder, entries["blob"])) as file:
                vouched.update(file.read().splitlines(keepends=True))
        wrong += ["only in the listing: " + line.decode().strip() for line in lines if line not in vouched]
        wrong += ["only in the digest: " + line.decode().strip() for line in sorted(vouched - set(lines))]
    vouched_lists = {entries["blob"] for entries in digest["lists"]}
    for entry in listing:
        other = re.fullmatch(r"digest/entries/v1/%s/([0-9a-f]{64})[^/]*\.jsonl\.gz" % day, entry["name"])
        if other and entry["name"] not in vouched_lists:
            with gzip.open(os.path.join(folder, entry["name"])) as file:
                if hashlib.sha256(file.read()).hexdigest() == other[1]:
                    wrong.append("an earlier digest of the day is gone: " + entry["name"])
    if previous is not None:
        before = (datetime.date.fromisoformat(day) - datetime.timedelta(1)).isoformat()
        if previous[0] != before:
            wrong.append("no digest of " + before)
        elif digest.get("previous") != {"day": before, "blob": previous[1], "sha256": previous[2]}:
            wrong.append("chained to another digest than that of the day before")
    elif "previous" in digest:
        wrong.append("the digests before it are missing, from " + digest["previous"]["day"])
    previous = (day, name, hashlib.sha256(stored).hexdigest())
    print(day, "proved, %d entries" % len(lines) if not wrong else "WRONG: " + "; ".join(wrong))
    problems += wrong

made = datetime.datetime.fromisoformat(about["madeAt"].replace("Z", "+00:00"))
due = (made - datetime.timedelta(hours=2)).date() - datetime.timedelta(1)
if previous is None or previous[0] < due.isoformat():
    print("WRONG: the digests up to", due.isoformat(), "are missing")
    problems.append("missing")
for day in sorted(listed):
    if day < due.isoformat() and day not in [of for of, _, _ in names]:
        print(day, "WRONG: entries of a day without a digest")
        problems.append(day)
sys.exit(1 if problems else 0)

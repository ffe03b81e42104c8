"""The intake: what it costs to ask for an answer, hash it, compress it and store it. A server of tests/scale replays answers that the simulated cloud
has given about its buckets, under the names of as many buckets as are wanted. boto3 asks the same server for the same, and keeps nothing."""
import json
import os
import pathlib
import subprocess
import sys
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "company"), str(ROOT / "tests" / "scale")]

import company  # noqa: E402
import ratio  # noqa: E402
from cloud import Cloud  # noqa: E402
from scale import REGION, Scale, buckets  # noqa: E402

RATE = 5_000  # answers a second, on two cores
CPU = 100  # microseconds of our own for each
ASK = """
import boto3, botocore.config, json, resource, sys, concurrent.futures
client = boto3.client("s3", config=botocore.config.Config(s3={"addressing_style": "path"}, max_pool_connections=16))
calls = [client.get_bucket_encryption, client.get_public_access_block, client.get_bucket_versioning, client.get_bucket_policy, client.get_bucket_acl,
         client.get_bucket_logging, client.get_bucket_lifecycle_configuration, client.get_bucket_tagging]
names = [bucket["Name"] for bucket in client.list_buckets(MaxBuckets=1000)["Buckets"]][:int(sys.argv[1])]
def ask(call, name):
    try:
        call(Bucket=name)
    except client.exceptions.ClientError:
        pass
def spent():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
before = spent()
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda pair: ask(*pair), [(call, name) for name in names for call in calls]))
print(json.dumps({"answers": len(names) * len(calls), "cpu_s": spent() - before}))
"""


def main():
    build = pathlib.Path(os.environ.get("VOUCH_BUILD", ROOT / "build"))
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    subprocess.run(["ninja", "-C", build, "bench_collect", "answering"], check=True, stdout=subprocess.DEVNULL)
    with Cloud() as cloud:
        company.fill(cloud.endpoint, company.SMALL, age=cloud.backdate)
        small, large = (buckets(size, cloud) for size in (count, 4 * count))
    measured = []
    for part in (small, large):
        with Scale(build / "answering", part) as aws:
            env = os.environ | {"AWS_ENDPOINT_URL": aws.endpoint, "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-real-secret",
                                "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}
            run = lambda *command: json.loads(subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE).stdout)  # noqa: E731
            measured.append(run(build / "bench_collect"))
            if measured[-1]["outcome"] != "complete":
                raise SystemExit(f"the collection was {measured[-1]['outcome']}: {measured[-1]['reason']}")
            theirs = run(sys.executable, "-c", ASK, "250")
    few, many = measured
    each = lambda one: one["cpu_s"] / one["answers"] * 1e6  # noqa: E731
    table = ratio.Table(f"intake of {many['answers']:,} answers")
    table.at_least("answers/s by the clock, taken in and stored", many["answers"] / many["wall_s"], RATE, "", 1)
    table.at_most("own CPU for an answer", each(many), CPU, "µs", 1)
    table.at_most("own CPU, boto3's to fetch and parse it = 1", each(many), each(theirs), "µs", CPU / 1100)
    table.at_most(f"peak memory at {many['answers']:,}, at {few['answers']:,} = 1", many["peak_mib"], few["peak_mib"], "MiB", 1.25)
    table.print()
    print(f"{many['bodies']:,} bodies kept in {many['stored_bytes'] / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()

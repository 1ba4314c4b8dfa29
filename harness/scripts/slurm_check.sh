#!/usr/bin/env bash
# Runs a small suite through a real Slurm, in as many tasks as one, three and sixteen, and through
# what goes wrong on clusters: killed, cancelled and overlong tasks, too little memory, a node set
# down, two submissions at once, a changed plugin, a full disk.
#
#   slurm_check.sh HARNESS PLUGINS   the program, and the folder of its plugins
#
# Faults take ten minutes and more; they are tried with HARNESS_SLURM_FAULTS=1.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
harness=$(readlink -f "$1")
plugins=$(readlink -f "$2")
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap '"$here/slurm_cluster.sh" stop "$work/slurm"; umount "$work/full" 2>/dev/null || true; rm -rf "$work"' EXIT
eval "$("$here/slurm_cluster.sh" start "$work/slurm" 4 8192)"

cd "$work"
export HARNESS_EMBEDDED="$root/suites/embedded" HF_HUB_OFFLINE=1 NO_COLOR=1
mkdir plugins
cp "$plugins"/libharness_plugin_coop.so "$plugins"/libharness_plugin_kgcoop.so plugins/
export HARNESS_PLUGIN_PATH="$work/plugins"
cat > suite.yaml <<'SUITE'
name: cluster
upgrades: [{source: micro-clip, targets: [micro-eva-clip]}]
methods: [coop, kgcoop]
datasets: [digits, shapes]
shots: [1]
seeds: [1, 2]
recipe: {epochs: 1}
SUITE
node=$(sinfo --noheader --format=%n | head -1)

case_() { printf -- '-- %s\n' "$*" >&2; }
fail() {
  echo "FAILED: $*" >&2
  squeue --states=all --array --format='%i|%j|%T|%r' >&2 || true
  for log in "$work"/*/submissions/*/logs/*.log; do echo "== $log" >&2; tail -5 "$log" >&2; done
  tail -20 "$work"/slurm/log/slurmctld.log >&2
  exit 1
}
submit() { "$harness" submit suite.yaml --quiet "$@"; }
status() { "$harness" status suite.yaml --quiet --json "$@" 2>/dev/null; }
field() { python3 -c "import json,sys; d=json.load(sys.stdin); print($1)"; }
# What must not depend on how a run was cut.
numbers() {
  python3 - "$1" <<'PY'
import json, sys
report = json.load(open(sys.argv[1]))
for cell in report["cells"]:
    cell = {k: v for k, v in cell.items() if k in ("method", "dataset", "shots", "seed", "upgrade", "status", "conditions", "changes")}
    for condition in cell["conditions"].values():
        condition.pop("seconds", None)
    print(json.dumps(cell, sort_keys=True))
PY
}
# Waits until no job of ours is left.
idle() {
  local left=${1:-240}
  until [ -z "$(squeue --noheader --states=pending,running,completing,suspended)" ]; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || fail "jobs did not end"
    sleep 0.5
  done
}
# Waits until a task of a stage runs, and prints its job.
running() {
  local left=200 job
  while [ "$left" -gt 0 ]; do
    job=$(squeue --noheader --array --states=running --format='%i|%j' | grep -- "-$1\$" | head -1 | cut -d'|' -f1 || true)
    if [ -n "$job" ]; then echo "$job"; return; fi
    left=$((left - 1))
    sleep 0.1
  done
  fail "no task of $1 ran"
}
same() { diff <(numbers whole.json) <(numbers "$1") >/dev/null || fail "$1 differs from whole.json"; }

# Fails unless a task was put back into the queue and then stored something.
restarted() {
  python3 -c 'import json,sys; sys.exit(not any(t["place"]["restarts"] for t in json.load(open(sys.argv[1]))["provenance"]["tasks"]))' "$1" \
    || fail "no task was put back"
}

case_ "one machine, no Slurm"
"$harness" run suite.yaml --quiet --store whole -o whole.json > /dev/null

for tasks in 1 3 16; do
  case_ "$tasks tasks"
  submit --store "s$tasks" --tasks "$tasks" -o "s$tasks.json"
  idle
  same "s$tasks.json"
  python3 - "s$tasks.json" <<'PY' || fail "tasks are not in the report"
import json, sys
report = json.load(open(sys.argv[1]))
tasks = report["provenance"]["tasks"]
assert {c for t in tasks for c in t["cells"]} == set(range(len(report["cells"])))
assert all(t["place"]["job"] and t["place"]["node"] for t in tasks), tasks
PY
done

if [ "${HARNESS_SLURM_FAULTS:-}" != 1 ]; then
  echo "the same numbers in 1, 3 and 16 tasks on $(sbatch --version); HARNESS_SLURM_FAULTS=1 tries faults as well"
  exit
fi

# Trainings that last long enough to be met in the middle.
sed -i 's/epochs: 1/epochs: 300/' suite.yaml
"$harness" run suite.yaml --quiet --store whole2 -o whole.json > /dev/null

case_ "a task killed with -9 is put back and resumes"
submit --store killed --tasks 3 -o killed.json
job=$(running trainings)
sleep 0.5
raw=$(squeue --noheader --array --jobs="$job" --format=%A | head -1)
# The program itself, not the script that started it, and only of this job.
for file in $(grep -lzx "SLURM_JOB_ID=$raw" /proc/[0-9]*/environ 2>/dev/null || true); do
  process=${file%/environ}
  if tr '\0' ' ' < "$process/cmdline" 2>/dev/null | grep -q "^$harness run .*--stage"; then
    kill -9 "${process#/proc/}"
  fi
done
idle
same killed.json
restarted killed.json

case_ "a cancelled task, and only it, is submitted again"
submit --store cancelled --tasks 3 -o cancelled.json
scancel "$(running trainings)"
idle
[ "$(status --store cancelled | field 'len([f for f in d["failed"] if f["cause"].startswith("CANCELLED")]) > 0')" = True ] \
  || fail "the cancelled task is not told: $(status --store cancelled)"
grep -q CANCELLED cancelled.json || fail "the report does not say CANCELLED"
submit --store cancelled --tasks 3 -o cancelled.json
idle
same cancelled.json

case_ "too little memory ends as OUT_OF_MEMORY, and twice as much is asked for"
submit --store memory --tasks 2 -o memory.json --sbatch "--mem=60"
idle 600
grep -q OUT_OF_MEMORY memory.json || fail "the report does not say OUT_OF_MEMORY"
status --store memory | grep -q OUT_OF_MEMORY || fail "status does not say OUT_OF_MEMORY"
before=$(python3 -c 'import json,glob; print(min(s["request"]["memory-mib"] for p in glob.glob("memory/submissions/*/plan.json") for s in json.load(open(p))["stages"] if s["stage"]=="features"))')
submit --store memory --tasks 2 -o memory.json
after=$(python3 -c 'import json,glob; print(max(s["request"]["memory-mib"] for p in glob.glob("memory/submissions/*/plan.json") for s in json.load(open(p))["stages"] if s["stage"]=="features"))')
[ "$after" = $((2 * before)) ] || fail "$after MiB asked for after $before"
idle
same memory.json

case_ "a node set down in the middle"
submit --store node --tasks 3 -o node.json
running trainings > /dev/null
sleep 1
scontrol update nodename="$node" state=down reason=test
sleep 3
# It may have come back by itself.
scontrol update nodename="$node" state=resume 2>/dev/null || true
idle 600
same node.json
restarted node.json

case_ "two submissions at once"
submit --store twice --tasks 2 -o twice.json > one.txt 2>&1 &
first=$!
submit --store twice --tasks 2 -o twice.json > two.txt 2>&1 || true
wait "$first" || true
[ "$(cat one.txt two.txt | grep -c 'submitted jobs')" = 1 ] || fail "$(cat one.txt two.txt)"
idle
same twice.json

case_ "a plugin that changes between the stages"
submit --store plugin --tasks 1 -o plugin.json
running features > /dev/null || true
printf x >> plugins/libharness_plugin_coop.so
idle
grep -rhq "the plugin libharness_plugin_coop.so changed" plugin/submissions/*/logs/ || fail "the change is not told"
cp "$plugins"/libharness_plugin_coop.so plugins/
submit --store plugin --tasks 1 -o plugin.json
idle
same plugin.json

case_ "a full disk"
mkdir full
if mount -t tmpfs -o size=3m tmpfs full 2>/dev/null; then
  submit --store full --tasks 1 > full.txt 2>&1 || true
  idle
  umount full
  grep -q "free, and the results need\|No space left\|nothing was submitted" full.txt || fail "$(cat full.txt)"

  case_ "a disk that fills while tasks run, and has room again"
  mount -t tmpfs -o size=256m tmpfs full
  submit --store full --tasks 3 -o filled.json > /dev/null
  head -c 300M /dev/zero > full/other-files 2>/dev/null || true
  idle
  # Their logs are on the full disk.
  grep -q "WEXITSTATUS 110" "$work"/slurm/log/slurmctld.log || fail "no task ended with 110"
  rm full/other-files
  submit --store full --tasks 3 -o filled.json > /dev/null
  idle
  same filled.json
  umount full
else
  echo "no tmpfs can be mounted here: a full disk was NOT tried" >&2
fi

case_ "a time limit"
sed -i 's/epochs: 300/epochs: 60000/' suite.yaml
submit --store late --tasks 1 -o late.json --only method=coop,dataset=digits,seed=1 --sbatch "--time=2 --signal=TERM@60"
idle 1600
grep -q "TIMEOUT" late.json || fail "the report does not say TIMEOUT"

echo "all cases passed on $(sbatch --version)"

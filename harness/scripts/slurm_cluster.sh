#!/usr/bin/env bash
# A Slurm cluster on this machine, with everything it writes in one folder:
#
#   slurm_cluster.sh start DIR [CPUS [MIB]]  prints the environment that reaches it
#   slurm_cluster.sh stop DIR                ends what `start` began
#
# It needs slurmctld, slurmd, the Slurm commands and munge (Debian: slurmctld slurmd
# slurm-client munge) and, to run as root, nothing else. One node, no accounting.
set -euo pipefail

start() {
  local dir=$1 cpus=${2:-4} mib=${3:-4096} host
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  chmod 755 "$dir"
  mkdir -p "$dir/state" "$dir/spool" "$dir/log"
  host=$(hostname -s)

  dd if=/dev/urandom of="$dir/munge.key" bs=128 count=1 status=none
  chmod 600 "$dir/munge.key"
  munged --force --key-file "$dir/munge.key" --socket "$dir/munge.socket" \
    --pid-file "$dir/munged.pid" --log-file "$dir/log/munged.log" --seed-file "$dir/munge.seed"

  # cred_expire bounds how long a requeued job waits; memory is watched by sampling, since a
  # machine that is no cluster seldom lets Slurm have its control groups.
  cat > "$dir/slurm.conf" <<CONF
ClusterName=harness
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=${HARNESS_SLURM_PORT:-17817}
SlurmdPort=$((${HARNESS_SLURM_PORT:-17817} + 1))
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$dir/munge.socket,cred_expire=5
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
ReturnToService=2
KillWait=5
MinJobAge=300
MaxArraySize=1001
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$mib State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE OverTimeLimit=0 State=UP
CONF
  export SLURM_CONF="$dir/slurm.conf"
  # The node may be said to have more CPUs than the machine has.
  echo "SlurmdParameters=config_overrides" >> "$dir/slurm.conf"
  touch "$dir/cgroup.conf"
  slurmctld -f "$dir/slurm.conf" > "$dir/log/slurmctld.out" 2>&1
  slurmd -f "$dir/slurm.conf" > "$dir/log/slurmd.out" 2>&1
  local left=60
  until sinfo --noheader --format=%T 2>/dev/null | grep -q idle; do
    left=$((left - 1))
    if [ "$left" = 0 ]; then
      echo "the node did not become idle; see $dir/log" >&2
      stop "$dir"
      exit 1
    fi
    sleep 0.5
  done
  echo "export SLURM_CONF='$dir/slurm.conf'"
}

stop() {
  local dir=$1 name pid
  for name in slurmd slurmctld munged; do
    if [ ! -s "$dir/$name.pid" ]; then continue; fi
    pid=$(cat "$dir/$name.pid")
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 50); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.2
    done
  done
}

case ${1:-} in
  start) shift; start "$@" ;;
  stop) shift; stop "$@" ;;
  *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac

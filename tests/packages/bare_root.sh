# Sourced: minimal root filesystems to try things in. Needs root, debootstrap and unshare.
# What is mounted is mounted in a namespace of its own, and processes run in one of their own: whatever happens, nothing
# stays mounted and nothing goes on running.

# bare_base SUITE: makes (once) the base system of a Debian release, and says where it is
bare_base() {
    local cache=${ARBOR_BARE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pgarbor-bare} base
    base=$cache/$1
    if [ ! -e "$base/etc/os-release" ]; then
        mkdir -p "$cache"
        rm -rf "$base.new"
        debootstrap "$1" "$base.new" "${ARBOR_BARE_MIRROR:-http://deb.debian.org/debian}" >"$cache/$1.log" 2>&1 || {
            tail "$cache/$1.log" >&2
            return 1
        }
        mv "$base.new" "$base"
    fi
    echo "$base"
}

# bare_copy SUITE DIRECTORY: a fresh copy of the base system, with the ordinary user `person` who may use sudo
bare_copy() {
    local base
    base=$(bare_base "$1")
    cp -a "$base" "$2"
    cp -L /etc/resolv.conf "$2/etc/resolv.conf"
    cp -L /etc/hosts "$2/etc/hosts"
    # as udev makes it on a machine that has booted
    mknod -m 666 "$2/dev/fuse" c 10 229
    bare_in "$2" root 'apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends sudo &&
        useradd --create-home --shell /bin/bash person && echo "person ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/person' \
        >"$2.log" 2>&1 || { tail "$2.log" >&2; return 1; }
}

# bare_in DIRECTORY USER COMMAND: runs a line of shell in there, without a display, as that user
bare_in() {
    local root=$1 user=$2 command=$3
    local ccache=${ARBOR_BARE_CCACHE:-} environment=${ARBOR_BARE_ENVIRONMENT:-}
    if [ -n "$ccache" ]; then
        mkdir -p "$root/ccache"
        environment+=" CCACHE_DIR=/ccache CCACHE_TEMPDIR=/tmp"
        # what root compiled is there for others, too, but only to read
        [ "$user" = root ] || environment+=" CCACHE_READONLY=1"
    fi
    unshare --mount --pid --fork --kill-child bash -euc '
        mount --make-rprivate /
        mount -t proc proc "$1/proc"
        mount -t sysfs sysfs "$1/sys"
        mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$1/dev/pts"
        mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm"
        mount -t tmpfs -o mode=755 tmpfs "$1/run"
        [ -z "$4" ] || mount --bind "$4" "$1/ccache"
        # not exec: the shell stays as the first process, which ends whom nobody else waits for
        chroot "$1" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            TERM=dumb su - "$2" -c "export LANG=C.UTF-8 $5; $3" || exit $?
        exit 0
    ' bash "$root" "$user" "$command" "$ccache" "$environment"
}

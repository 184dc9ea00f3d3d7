#!/usr/bin/env bash
# Makes sure that there are Chinese letters for the pictures of the console; without them they show empty boxes.
set -euo pipefail

fc-list :lang=zh 2>/dev/null | grep -q . && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	echo "fonts: installing a Chinese one" >&2
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 install --no-install-recommends fonts-wqy-microhei >&2 && exit 0
fi
echo "fonts: no Chinese font is installed; the pictures in Chinese will show empty boxes" >&2

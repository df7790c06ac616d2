#!/bin/sh
# Makes the PKI of docker-compose.yml, once: DIR/pki. A run that was cut off is begun again.
# For trying out only: here one folder holds everybody's keys. In earnest each agency makes its
# own key with `lienthong pki request` and sends the request.
set -eu
dir=$1
if [ -d "$dir/pki" ]; then
    exit 0
fi
rm -rf "$dir/unfinished"
lienthong pki init "$dir/unfinished" --list-days 3650
lienthong pki issue "$dir/unfinished" --agency G22 --hub hub,localhost,127.0.0.1
lienthong pki issue "$dir/unfinished" --agency H36 --node --seal --person leader --name "Nguyễn Văn An" --title "Chủ tịch"
lienthong pki issue "$dir/unfinished" --agency H34 --node --seal --person leader --name "Trần Thị Bình" --title "Chủ tịch"
lienthong pki issue "$dir/unfinished" --agency H21 --node --seal --person leader --name "Lê Văn Cường" --title "Chủ tịch"
mv "$dir/unfinished" "$dir/pki"

# Sets JDK to a JDK of version 25 or newer, and JVM_FLAGS to what every Ridgeline JVM is started with.
# Meant to be sourced.
jdk_version() { sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release" 2>/dev/null; }
JDK=
for candidate in "${RIDGELINE_JAVA_HOME:-}" "${JAVA_HOME:-}" /usr/lib/jvm/* /opt/*jdk* "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* \
  /Library/Java/JavaVirtualMachines/*/Contents/Home "$(dirname "$(dirname "$(readlink -f "$(command -v javac || echo /)")")")"; do
  [ -n "$candidate" ] && [ -x "$candidate/bin/javac" ] && [ "$(jdk_version "$candidate")" -ge 25 ] 2>/dev/null && { JDK=$candidate; break; }
done
if [ -z "$JDK" ]; then
  echo "ridgeline: no JDK 25 or newer found (looked at RIDGELINE_JAVA_HOME, JAVA_HOME, /usr/lib/jvm, java on PATH); install one or set RIDGELINE_JAVA_HOME" >&2
  exit 1
fi
# Tier4: a method of the Vector API is slow until C2 has compiled it, so that a first answer waits for that: a tenth of
# the usual thresholds makes the first step of a 1 B model 5 (prompt of 5 tokens) to 15 % (17 tokens) shorter.
# MetaspaceSize: at its default of 21 MB the first classes of a server cause full collections.
JVM_FLAGS=(-XX:Tier4InvocationThreshold=500 -XX:Tier4MinInvocationThreshold=100 -XX:Tier4CompileThreshold=1000 -XX:Tier4BackEdgeThreshold=5000
  --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -XX:+UseSerialGC -XX:MetaspaceSize=64m -XX:-UsePerfData -Xlog:disable -Xlog:all=error:stderr)
# A server runs for weeks. The serial collector lets what lives for minutes pile up to a quarter of the machine's memory before it
# looks at it (160 MB an hour in dev/soak); G1 keeps to what is needed. What compilers leave in malloc's arenas is given back.
SERVER_FLAGS=(-XX:-UseSerialGC -XX:+UseG1GC -XX:InitialHeapSize=160m -XX:TrimNativeHeapInterval=30000)

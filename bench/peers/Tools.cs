namespace Lb.Peers;

/// <summary>The programs that must be on the machine, and their versions.</summary>
internal sealed record Tools(string HaproxyVersion, string NginxVersion, string WrkVersion, string? NginxStreamModule)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    public static async Task<Tools> CheckAsync(Options options, TimeProvider time, CancellationToken ct)
    {
        List<string> missing = [];
        void Need(string program, string package)
        {
            if (!OnPath(program)) missing.Add($"{program} (Debian package {package})");
        }

        bool needsHaproxy = options.Proxies.Any(static p => p.StartsWith("haproxy", StringComparison.Ordinal));
        bool needsStream = options.Proxies.Contains("nginx");
        Need("taskset", "util-linux");
        Need("wrk", "wrk");
        Need("nginx", "nginx");
        if (needsHaproxy) Need("haproxy", "haproxy");
        if (options.UseNetns) Need("ip", "iproute2");

        string build = OnPath("nginx") ? await OutputAsync("nginx", "-V") : "";
        string? module = build.Contains("--with-stream=dynamic", StringComparison.Ordinal)
            ? Path.Combine(Argument(build, "--modules-path="), "ngx_stream_module.so")
            : null;
        if (needsStream && build.Length > 0 && (module is null ? !build.Contains("--with-stream ", StringComparison.Ordinal) : !File.Exists(module)))
            missing.Add("the stream module of nginx (Debian package libnginx-mod-stream)");

        if (missing.Count > 0) throw new BenchException($"missing: {string.Join("; ", missing)}");
        return new(
            needsHaproxy ? await FirstLineAsync("haproxy") : "",
            (await FirstLineAsync("nginx")).Replace("nginx version: ", "", StringComparison.Ordinal),
            (await FirstLineAsync("wrk")).Split(" [")[0],
            module);

        async Task<string> OutputAsync(string program, string argument) => (await Child.RunAsync(program, null, [program, argument], Limit, time, ct)).Output;
        async Task<string> FirstLineAsync(string program) => (await OutputAsync(program, "-v")).Split('\n')[0].Split(" - http")[0].Trim();
    }

    private static bool OnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, program)));

    private static string Argument(string text, string name)
    {
        int start = text.IndexOf(name, StringComparison.Ordinal);
        return start < 0 ? "" : text[(start + name.Length)..].Split([' ', '\n'], 2)[0];
    }
}

using Microsoft.Extensions.Configuration;

namespace Lb;

/// <summary>The schema of the section <c>Lb</c>: which keys there are and where their values go. Values are checked later, with those set by code.</summary>
internal static class LbOptionsReader
{
    public static void Read(IConfiguration section, string path, LbOptions options)
    {
        options.Path = path;
        ConfigurationReader.ReadWhole(section, path, options.ReadErrors, reader =>
        {
            CheckReader checks = new();
            checks.ReadShared(reader, options.HealthChecks);
            reader.Section("Defaults", r => ReadDefaults(r, options.Defaults));
            reader.Items("Pools", isList: false, (name, r) => ReadPool(r, options.Pool(name), checks));
            reader.Items("Gateways", isList: false, (name, r) => ReadGateway(r, options.Gateway(name)));
            reader.Section("Health", r =>
            {
                options.Health.SpreadChecks = r.Integer("SpreadChecks", options.Health.SpreadChecks);
                options.Health.History = r.Integer("History", options.Health.History);
                options.Health.MaxConcurrentChecks = r.Integer("MaxConcurrentChecks", options.Health.MaxConcurrentChecks);
                options.Health.MaxConcurrentChecksPerHost = r.Integer("MaxConcurrentChecksPerHost", options.Health.MaxConcurrentChecksPerHost);
                options.Health.ChecksPerSecond = r.Integer("ChecksPerSecond", options.Health.ChecksPerSecond);
                options.Health.ShareChecks = r.Flag("ShareChecks", options.Health.ShareChecks);
                options.Health.StalledAfter = r.Integer("StalledAfter", options.Health.StalledAfter);
            });
            reader.Section("Transport", r =>
            {
                options.Transport.Driver = r.Word("Driver", options.Transport.Driver);
                options.Transport.Loops = r.Integer("Loops", options.Transport.Loops);
                options.Transport.CpuAffinity = r.Word("CpuAffinity", options.Transport.CpuAffinity);
                options.Transport.HandOver = r.Text("HandOver", options.Transport.HandOver);
                options.Transport.MaxConnections = r.Integer("MaxConnections", options.Transport.MaxConnections);
                options.Transport.MaxMemory = r.Bytes("MaxMemory", options.Transport.MaxMemory);
                options.Transport.Splice = r.Flag("Splice", options.Transport.Splice);
            });
            reader.Items("Routers", isList: false, (name, r) => RouterReader.Read(r, options.Router(name)));
            reader.Section("Vrrp", r => RouterReader.ReadGlobal(r, options.Vrrp));
            reader.NotInThisVersion("Stats", "Runtime", "State", "Log");
        });
    }

    private static void ReadDefaults(ConfigurationReader reader, DefaultsOptions defaults)
    {
        defaults.ConnectTimeout = reader.Duration("ConnectTimeout", defaults.ConnectTimeout);
        defaults.ClientTimeout = reader.Duration("ClientTimeout", defaults.ClientTimeout);
        defaults.ServerTimeout = reader.Duration("ServerTimeout", defaults.ServerTimeout);
        defaults.QueueTimeout = reader.Duration("QueueTimeout", defaults.QueueTimeout);
        defaults.Retries = reader.Integer("Retries", defaults.Retries);
        defaults.Redispatch = reader.Redispatch("Redispatch", defaults.Redispatch) ?? defaults.Redispatch;
    }

    private static void ReadPool(ConfigurationReader reader, PoolOptions pool, CheckReader checks)
    {
        pool.Balance = reader.Word("Balance", pool.Balance);
        reader.Section("BalanceOptions", r => ReadBalance(r, pool.BalanceOptions));
        reader.Items("Servers", isList: true, (_, r) => pool.Servers.Add(ReadServer(r)));
        reader.Items("Checks", isList: true, (_, r) => pool.Checks.Add(checks.Read(r)));
        pool.ConnectTimeout = reader.Duration("ConnectTimeout", pool.ConnectTimeout);
        pool.ServerTimeout = reader.Duration("ServerTimeout", pool.ServerTimeout);
        pool.ServerFinTimeout = reader.Duration("ServerFinTimeout", pool.ServerFinTimeout);
        pool.QueueTimeout = reader.Duration("QueueTimeout", pool.QueueTimeout);
        pool.MaxQueue = reader.Integer("MaxQueue", pool.MaxQueue);
        pool.FullConnections = reader.Integer("FullConnections", pool.FullConnections);
        pool.Retries = reader.Integer("Retries", pool.Retries);
        pool.Redispatch = reader.Redispatch("Redispatch", pool.Redispatch);
        pool.AllBackups = reader.Flag("AllBackups", pool.AllBackups);
        pool.Failback = reader.Choice("Failback", pool.Failback);
        pool.PanicThreshold = reader.Integer("PanicThreshold", pool.PanicThreshold);
        pool.AllDown = reader.Choice("AllDown", pool.AllDown);
        PoolProtectionReader.Read(reader, pool);
        TcpReader.Read(reader, pool);
        reader.NotInThisVersion("RetryOn", "HttpReuse");
    }

    private static void ReadBalance(ConfigurationReader reader, BalanceOptions balance)
    {
        balance.Draws = reader.Integer("Draws", balance.Draws);
        balance.HashType = reader.Word("HashType", balance.HashType);
        balance.Avalanche = reader.Flag("Avalanche", balance.Avalanche);
        balance.ShPort = reader.Flag("ShPort", balance.ShPort);
        balance.ShFallback = reader.Flag("ShFallback", balance.ShFallback);
        balance.MhPort = reader.Flag("MhPort", balance.MhPort);
        balance.MhFallback = reader.Flag("MhFallback", balance.MhFallback);
        balance.TableSize = reader.Integer("TableSize", balance.TableSize);
        balance.HashFunction = reader.Choice("HashFunction", balance.HashFunction);
        balance.HashKey = reader.Choice("HashKey", balance.HashKey);
        balance.HashBalanceFactor = reader.Integer("HashBalanceFactor", balance.HashBalanceFactor);
        balance.Header = reader.Text("Header", balance.Header);
        balance.UseDomainOnly = reader.Flag("UseDomainOnly", balance.UseDomainOnly);
        balance.Parameter = reader.Text("Parameter", balance.Parameter);
        balance.CheckPost = reader.Flag("CheckPost", balance.CheckPost);
        balance.Length = reader.Integer("Length", balance.Length);
        balance.Depth = reader.Integer("Depth", balance.Depth);
        balance.Whole = reader.Flag("Whole", balance.Whole);
        balance.PathOnly = reader.Flag("PathOnly", balance.PathOnly);
        balance.MinimumRingSize = reader.Integer("MinimumRingSize", balance.MinimumRingSize);
        balance.MaximumRingSize = reader.Integer("MaximumRingSize", balance.MaximumRingSize);
        balance.RingHash = reader.Choice("RingHash", balance.RingHash);
        balance.ErrorPenalty = reader.Integer("ErrorPenalty", balance.ErrorPenalty);
        balance.BlackoutPeriod = reader.Duration("BlackoutPeriod", balance.BlackoutPeriod);
        balance.ExpirationPeriod = reader.Duration("ExpirationPeriod", balance.ExpirationPeriod);
        balance.UpdatePeriod = reader.Duration("UpdatePeriod", balance.UpdatePeriod);
        balance.Probes = reader.Integer("Probes", balance.Probes);
        balance.ProbePoolSize = reader.Integer("ProbePoolSize", balance.ProbePoolSize);
        balance.ProbeAge = reader.Duration("ProbeAge", balance.ProbeAge);
        balance.HashPreserveAffinity = reader.Choice("HashPreserveAffinity", balance.HashPreserveAffinity);
    }

    private static ServerOptions ReadServer(ConfigurationReader reader)
    {
        ServerOptions server = new();
        server.Name = reader.Text("Name", server.Name);
        server.Address = reader.Word("Address", server.Address);
        server.Weight = reader.Integer("Weight", server.Weight);
        server.Backup = reader.Flag("Backup", server.Backup);
        server.MaxConnections = reader.Integer("MaxConnections", server.MaxConnections);
        server.MinConnections = reader.Integer("MinConnections", server.MinConnections);
        server.InitState = reader.Choice("InitState", server.InitState);
        server.Priority = reader.Integer("Priority", server.Priority);
        server.Zone = reader.Text("Zone", server.Zone);
        server.MaxQueue = reader.Integer("MaxQueue", server.MaxQueue);
        server.Track = reader.Text("Track", server.Track);
        server.InhibitOnFailure = reader.Flag("InhibitOnFailure", server.InhibitOnFailure);
        reader.Section("Tls", r => server.Tls = TlsReader.Server(r));
        TcpReader.Read(reader, server);
        server.SendProxy = reader.Text("SendProxy", server.SendProxy);
        reader.Texts("ProxyV2Options", server.ProxyV2Options);
        reader.NotInThisVersion("Cookie");
        return server;
    }

    private static void ReadGateway(ConfigurationReader reader, GatewayOptions gateway)
    {
        gateway.Mode = reader.Word("Mode", gateway.Mode);
        reader.Texts("Listen", gateway.Listen);
        gateway.Pool = reader.Word("Pool", gateway.Pool);
        gateway.MaxConnections = reader.Integer("MaxConnections", gateway.MaxConnections);
        gateway.Backlog = reader.Integer("Backlog", gateway.Backlog);
        gateway.ClientTimeout = reader.Duration("ClientTimeout", gateway.ClientTimeout);
        gateway.ClientFinTimeout = reader.Duration("ClientFinTimeout", gateway.ClientFinTimeout);
        gateway.DrainTimeout = reader.Duration("DrainTimeout", gateway.DrainTimeout);
        gateway.CloseSpreadTime = reader.Duration("CloseSpreadTime", gateway.CloseSpreadTime);
        reader.Section("Tls", r => gateway.Tls = TlsReader.Gateway(r, gateway.Tls));
        TcpReader.Read(reader, gateway);
        AdmissionReader.Read(reader, gateway);
        UdpValidation.Read(reader, gateway);
        PrefaceReader.Read(reader, gateway);
        reader.NotInThisVersion("RequestTimeout", "KeepAliveTimeout", "ForwardFor", "ErrorFiles", "RateLimit", "Rules");
    }
}

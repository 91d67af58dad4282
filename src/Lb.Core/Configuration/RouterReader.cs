namespace Lb;

/// <summary>The schema of the sections <c>Routers</c> and <c>Vrrp</c>.</summary>
internal static class RouterReader
{
    public static void ReadGlobal(ConfigurationReader reader, VrrpOptions options)
    {
        options.RealTimePriority = reader.Integer("RealTimePriority", options.RealTimePriority);
        options.QueueAhead = reader.Duration("QueueAhead", options.QueueAhead);
        options.MulticastGroup4 = reader.Word("MulticastGroup4", options.MulticastGroup4);
        options.MulticastGroup6 = reader.Word("MulticastGroup6", options.MulticastGroup6);
    }

    public static void Read(ConfigurationReader reader, RouterOptions options)
    {
        options.Interface = reader.Word("Interface", options.Interface);
        options.RouterId = reader.Integer("RouterId", options.RouterId);
        options.Version = reader.Integer("Version", options.Version);
        options.AlsoVersion2 = reader.Flag("AlsoVersion2", options.AlsoVersion2);
        options.Priority = reader.Integer("Priority", options.Priority);
        options.AdvertisementInterval = reader.Duration("AdvertisementInterval", options.AdvertisementInterval);
        options.DownTimerAdverts = reader.Integer("DownTimerAdverts", options.DownTimerAdverts);
        ReadAddresses(reader, "Addresses", options.Addresses);
        ReadAddresses(reader, "ExcludedAddresses", options.ExcludedAddresses);
        options.AssignAddresses = reader.Flag("AssignAddresses", options.AssignAddresses);
        options.AddressLifetime = reader.Duration("AddressLifetime", options.AddressLifetime);
        options.DuplicateDetection = reader.Flag("DuplicateDetection", options.DuplicateDetection);
        options.Start = reader.Choice("Start", options.Start);
        options.Preempt = reader.Flag("Preempt", options.Preempt);
        options.PreemptDelay = reader.Duration("PreemptDelay", options.PreemptDelay);
        options.StartupDelay = reader.Duration("StartupDelay", options.StartupDelay);
        options.Accept = reader.Flag("Accept", options.Accept);
        options.Handover = reader.Flag("Handover", options.Handover);
        options.Checksum = reader.Choice("Checksum", options.Checksum);
        options.Strict = reader.Flag("Strict", options.Strict);
        if (reader.Text("CheckAddresses", null) is not null) options.CheckAddresses = reader.Flag("CheckAddresses", options.CheckAddresses ?? false);
        options.CheckSubnet = reader.Flag("CheckSubnet", options.CheckSubnet);
        options.HeartbeatInterface = reader.Text("HeartbeatInterface", options.HeartbeatInterface);
        options.SyncGroup = reader.Text("SyncGroup", options.SyncGroup);
        reader.Section("Unicast", r => ReadUnicast(r, options.Unicast ??= new RouterUnicastOptions()));
        reader.Section("Authentication", r => ReadAuthentication(r, options.Authentication));
        reader.Section("VirtualMac", r => ReadVirtualMac(r, options.VirtualMac));
        reader.Section("Announce", r => ReadAnnounce(r, options.Announce));
        reader.Section("Notify", r => ReadNotify(r, options.Notify));
        reader.Items("Track", isList: true, (_, r) => options.Track.Add(ReadTrack(r)));
        reader.NotInThisVersion("Arbiters");
    }

    private static void ReadAddresses(ConfigurationReader reader, string key, IList<VirtualAddressOptions> target)
    {
        reader.ItemsOrTexts(key, text => target.Add(new VirtualAddressOptions { Address = text }), r =>
        {
            VirtualAddressOptions address = new();
            address.Address = r.Word("Address", address.Address);
            address.Interface = r.Text("Interface", address.Interface);
            address.Label = r.Text("Label", address.Label);
            address.Scope = r.Word("Scope", address.Scope);
            address.OffLink = r.Flag("OffLink", address.OffLink);
            target.Add(address);
        });
    }

    private static void ReadUnicast(ConfigurationReader reader, RouterUnicastOptions unicast)
    {
        unicast.Source = reader.Text("Source", unicast.Source);
        reader.Texts("Peers", unicast.Peers);
        unicast.MinimumTtl = reader.Integer("MinimumTtl", unicast.MinimumTtl);
        unicast.MaximumTtl = reader.Integer("MaximumTtl", unicast.MaximumTtl);
        unicast.UdpPort = reader.Integer("UdpPort", unicast.UdpPort);
    }

    private static void ReadAuthentication(ConfigurationReader reader, RouterAuthenticationOptions authentication)
    {
        authentication.Type = reader.Word("Type", authentication.Type);
        authentication.Password = reader.Text("Password", authentication.Password);
        reader.TextMap("Keys", authentication.Keys);
        authentication.Mode = reader.Word("Mode", authentication.Mode);
        authentication.Replay = reader.Word("Replay", authentication.Replay);
    }

    private static void ReadVirtualMac(ConfigurationReader reader, RouterVirtualMacOptions mac)
    {
        mac.Enabled = reader.Flag("Enabled", mac.Enabled);
        mac.Name = reader.Text("Name", mac.Name);
        mac.TransmitBase = reader.Flag("TransmitBase", mac.TransmitBase);
    }

    private static void ReadAnnounce(ConfigurationReader reader, RouterAnnounceOptions announce)
    {
        announce.Repeat = reader.Integer("Repeat", announce.Repeat);
        announce.Delay = reader.Duration("Delay", announce.Delay);
        announce.Refresh = reader.Duration("Refresh", announce.Refresh);
        announce.LowerPriorityRepeat = reader.Integer("LowerPriorityRepeat", announce.LowerPriorityRepeat);
        announce.Spacing = reader.Duration("Spacing", announce.Spacing);
    }

    private static void ReadNotify(ConfigurationReader reader, RouterNotifyOptions notify)
    {
        reader.Texts("Active", notify.Active);
        reader.Texts("Backup", notify.Backup);
        reader.Texts("Fault", notify.Fault);
        reader.Texts("Stop", notify.Stop);
        reader.Texts("Any", notify.Any);
        notify.User = reader.Text("User", notify.User);
        notify.Timeout = reader.Duration("Timeout", notify.Timeout);
    }

    private static RouterTrackOptions ReadTrack(ConfigurationReader reader)
    {
        RouterTrackOptions track = new();
        track.Pool = reader.Text("Pool", track.Pool);
        track.Interface = reader.Text("Interface", track.Interface);
        reader.Texts("Command", track.Command);
        track.Process = reader.Text("Process", track.Process);
        track.File = reader.Text("File", track.File);
        track.Weight = reader.Integer("Weight", track.Weight);
        track.Reverse = reader.Flag("Reverse", track.Reverse);
        track.Interval = reader.Duration("Interval", track.Interval);
        track.Timeout = reader.Duration("Timeout", track.Timeout);
        track.Rise = reader.Integer("Rise", track.Rise);
        track.Fall = reader.Integer("Fall", track.Fall);
        track.InitFail = reader.Flag("InitFail", track.InitFail);
        track.User = reader.Text("User", track.User);
        track.Quorum = reader.Integer("Quorum", track.Quorum);
        track.Delay = reader.Duration("Delay", track.Delay);
        reader.Texts("Restart", track.Restart);
        track.RestartAttempts = reader.Integer("RestartAttempts", track.RestartAttempts);
        track.RestartBackOff = reader.Duration("RestartBackOff", track.RestartBackOff);
        return track;
    }
}

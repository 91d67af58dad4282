namespace Lb;

/// <summary>The keys of a gateway that say who is let in, and how fast.</summary>
internal static class AdmissionReader
{
    public static void Read(ConfigurationReader reader, GatewayOptions gateway)
    {
        reader.Items("Access", isList: true, (_, r) =>
        {
            AccessRuleOptions rule = new();
            rule.Action = r.Choice("Action", rule.Action);
            r.Texts("From", rule.From);
            rule.FromFile = r.Text("FromFile", rule.FromFile);
            gateway.Access.Add(rule);
        });
        reader.Section("PerSource", r =>
        {
            PerSourceOptions source = gateway.PerSource;
            source.MaxConnections = r.Integer("MaxConnections", source.MaxConnections);
            source.Rate = r.Integer("Rate", source.Rate);
            source.Period = r.Duration("Period", source.Period);
            source.Mask = r.MaskBits("Mask", source.Mask);
            source.Mask6 = r.MaskBits("Mask6", source.Mask6);
            source.Action = r.Choice("Action", source.Action);
            source.TableSize = r.Integer("TableSize", source.TableSize);
        });
        gateway.SessionRate = reader.Integer("SessionRate", gateway.SessionRate);
        gateway.TarpitTimeout = reader.Duration("TarpitTimeout", gateway.TarpitTimeout);
        gateway.MaxHeld = reader.Integer("MaxHeld", gateway.MaxHeld);
        reader.Section("QueuePriority", r =>
        {
            gateway.QueuePriority.Class = r.Integer("Class", gateway.QueuePriority.Class);
            gateway.QueuePriority.Offset = r.Duration("Offset", gateway.QueuePriority.Offset);
        });
    }
}
